Feature: Verify Identity Keys: what an answer must not tell
  Answers travel through gateways that write them down. What opens gates has no place in them.

  @VIK-X.45 @house
  Scenario: The key is not repeated
    Given a scan that the connector understands
    When it is sent, for a key that nobody has as well, and without its event
    Then no answer repeats the key
