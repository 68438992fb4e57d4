Feature: Verify Identity Keys: how the bytes arrive
  A call may arrive slowly, in part, or malformed.

  @VIK-X.29 @house @waits @long
  Scenario: A scan over a slow line
    Given a scan that the connector understands
    When its bytes come over 1.5 seconds
    Then it is decided on the key's merits

  @VIK-X.30 @house
  Scenario: A scan that breaks off and comes again
    Given a scan that the connector understands
    When it breaks off halfway, and then comes whole
    Then it is decided on the key's merits

  @VIK-X.31 @house
  Scenario: Scans on one connection without a pause
    Given a scan of the declared shopper key
    When two known keys and an unknown one come on one connection without a pause
    Then the answers that arrive are in the order of the scans

  @VIK-X.32 @house
  Scenario: The path called with GET
    Given a scan that the connector understands
    When its path is called with GET instead
    Then it is not treated as a call

  @VIK-X.33 @house
  Scenario: A scan as plain text
    Given a scan that the connector understands
    When it is sent as text/plain, and another as JSON
    Then nothing fails, and the next is decided on the key's merits

  @VIK-X.34 @house
  Scenario: A scan with a huge body
    Given a scan that the connector understands
    When it is sent with 3000000 characters too many, and another without
    Then nothing fails, and the next is decided on the key's merits
