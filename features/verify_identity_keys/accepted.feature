Feature: Verify Identity Keys: who is let in
  A 200 opens the gate, and its visitorDetails say who comes in.

  @VIK-1.1 @must
  Scenario: Shopper Entry — Valid Identity Key
    Given a valid scan of the declared shopper key
    When it is sent
    Then the visitor is of type SHOPPER

  @VIK-1.2 @must
  Scenario: Associate Entry
    Given a scan of the declared associate key
    When it is sent
    Then the visitor is of type ASSOCIATE

  @VIK-X.12 @must
  Scenario: Cash shopper entry
    Given a scan of the declared cash shopper key
    When it is sent
    Then the visitor is of type CASH_SHOPPER

  @VIK-X.6 @should
  Scenario: Unknown members are ignored at every depth
    Given a scan of the declared shopper key
    And every object in it has an unknown member
    When it is sent
    Then the visitor is let in

  @VIK-X.7 @house
  Scenario: keyChannel may be absent
    Given a scan of the declared shopper key
    And nothing optional is in it
    When it is sent
    Then the visitor is let in

  @VIK-X.37 @should
  Scenario: An answer says that it is JSON
    Given a scan of the declared shopper key
    When it is sent
    Then the answer says that it is JSON
