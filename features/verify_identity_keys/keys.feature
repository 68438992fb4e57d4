Feature: Verify Identity Keys: keys that no shopper has
  A key may have any content. Only the exact key of a visitor opens the gate.

  @VIK-X.67 @must
  Scenario: Useless keys
    Given a scan that the connector understands
    When it comes once as each useless key
    Then each is turned away

  @VIK-X.68 @must
  Scenario: A part of a shopper's key
    Given a scan of the declared shopper key
    When it comes once as each part of the shopper's key
    Then none opens the gate

  @VIK-X.69 @house
  Scenario: A shopper's key in another writing
    Given a scan of the fixed shopper key
    When it comes once as each other writing of the shopper's key
    Then none opens the gate

  @VIK-X.70 @house
  Scenario: A refused key in any writing
    Given a scan of the declared refused key
    When it comes once as each writing of the refused key
    Then none opens the gate
