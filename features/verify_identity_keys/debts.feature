Feature: Verify Identity Keys: payment and debts
  Before entry, the shopper has a valid means of payment and owes nothing. A debt that a trip leaves behind reaches the
  next decision at the gate.

  @VIK-X.124 @house
  Scenario: A declined means of payment
    Given three scans of the declared declined payment key
    When they come one after the other
    Then each is refused as the house says
    And another shopper still enters

  @VIK-X.125 @house
  Scenario: An outstanding balance
    Given three scans of the declared in debt key
    When they come one after the other
    Then each is refused as the house says
    And another shopper still enters

  @VIK-X.126 @house @waits
  Scenario: A debt after a trip
    Given a shopper with a payment that will be declined has entered twice
    When the cart of the first entry is sold
    Then the next entries of this shopper are refused in time
    And another shopper still enters
