Feature: End to end: visits
  The simulated platform runs beside the suite. Shoppers present codes at its gates, take goods and walk out. It
  delivers their carts until the connector accepts them. Then the suite checks the platform's journal.

  @E2E-X.1 @must @waits
  Scenario: A visit from the gate to the purchase
    Given a store of the simulated platform
    When a shopper enters, takes something and leaves
    Then nothing is lost and nothing is doubled

  @E2E-X.2 @must @waits
  Scenario: A stranger between two shoppers
    Given a store of the simulated platform
    When a shopper, a stranger and another shopper come to one gate
    Then the gate stays closed for the stranger
    And nothing is lost and nothing is doubled

  @E2E-X.3 @house @waits
  Scenario: The same shopper twice
    Given a store of the simulated platform
    When a shopper comes twice and takes the same
    Then nothing is lost and nothing is doubled

  @E2E-X.4 @must @waits
  Scenario: A scan that comes several times
    Given a store of the simulated platform
    When a scan comes several times at the same moment and once more, and the shopper buys something
    Then all scans of one event are answered alike
    And nothing is lost and nothing is doubled

  @E2E-X.5 @must @waits
  Scenario: A scan that comes again after the visit
    Given a store of the simulated platform
    When a shopper's scan comes again after the cart was accepted
    Then all scans of one event are answered alike

  @E2E-X.6 @house @waits
  Scenario: Each answer is about its own visitor
    Given a store of the simulated platform
    When shoppers and associates come and go at the same moment
    Then no answer holds another visitor's data
    And nothing is lost and nothing is doubled

  @E2E-X.7 @house @waits
  Scenario: A crowd at two gates
    Given a store of the simulated platform
    When 10 people come through two gates at the same moment, and carts are repeated
    Then nothing is lost and nothing is doubled

  @E2E-X.8 @house @waits
  Scenario: Two stores at the same moment
    Given a store of the simulated platform
    When people come and go in two stores at the same moment
    Then in both stores nothing is lost and nothing is doubled
