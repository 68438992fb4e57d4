Feature: Verify Identity Keys: what an answer must not repeat
  Gateways log answers, so an answer must not hold a key that opens gates.

  @VIK-X.45 @house
  Scenario: The key is not repeated
    Given a scan that the connector understands
    When it is sent, also for an unknown key, and without its event
    Then no answer repeats the key
