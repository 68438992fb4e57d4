Feature: Verify Identity Keys: one decision for one authEvent
  The platform may repeat a call. authEvent.id is the idempotency key; requestId has no influence.

  @VIK-6 @must
  Scenario: The same authEvent with another requestId
    Given a scan of the declared shopper key
    When it is sent, and again with another requestId
    Then the visitor is let in
    And all answers are the same gate decision

  @VIK-X.1 @must
  Scenario: The same request twice
    Given a scan of the declared shopper key
    When it is sent twice as it is
    Then the visitor is let in
    And all answers are the same gate decision

  @VIK-X.2 @must
  Scenario Outline: Attempts at the same moment
    Given a scan of the declared shopper key
    When <count> attempts of it arrive at the same moment
    Then the visitor is let in
    And all answers are the same gate decision

    Examples:
      | count |
      | 2     |
      | 10    |
      | 50    |

  @VIK-X.3 @house
  Scenario: The same authEvent with another identityKey
    Given a scan of the declared shopper key
    When it is sent, and again with the key of the associate
    Then the visitor is of type SHOPPER
    And all answers are the same gate decision

  @VIK-X.4 @house
  Scenario: Another authEvent of the same shopper is decided on its own
    Given a scan of the declared shopper key
    When it is sent, and the same shopper scans once more
    Then every answer has status 200

  @VIK-X.5 @house
  Scenario: A refusal is repeated
    Given a scan of an unknown key
    When it is sent, and again with another requestId
    Then the refusal is repeated

  @VIK-X.13 @house
  Scenario: A scan refused as invalid is not remembered
    Given a scan that the connector understands
    When it is sent without "identityKey", and then corrected
    Then it is decided on the key's merits, or refused again as the house says

  @VIK-X.22 @must
  Scenario: A duplicate with its members in another order
    Given a scan of the declared shopper key
    When it is sent, and again with its members in another order
    Then the visitor is let in
    And all answers are the same gate decision

  @VIK-X.23 @must @waits @long
  Scenario: A duplicate after sixty other events
    Given a scan of the declared shopper key
    When it is sent, and once more after 60 others
    Then the visitor is let in
    And all answers are the same gate decision

  @VIK-X.24 @must @waits @long
  Scenario: A duplicate three seconds later
    Given a scan of the declared shopper key
    When it is sent, and once more after 3 seconds
    Then the visitor is let in
    And all answers are the same gate decision

  @VIK-X.25 @house @alone
  Scenario: A duplicate after a restart
    Given a scan of the declared shopper key
    When it is sent, and once more after a restart of the connector
    Then the visitor is let in
    And all answers are the same gate decision

  @VIK-X.26 @house
  Scenario: Two hundred attempts at the same moment
    Given a scan of the declared shopper key
    When 200 attempts of it arrive at the same moment
    Then the visitor is let in
    And all answers are the same gate decision

  @VIK-X.38 @house
  Scenario: Events with similar ids
    Given a scan of the declared shopper key
    When it is sent, and an unknown key under an id that looks alike
    Then each key is decided on its own merits
