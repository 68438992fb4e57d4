Feature: End to end: carts on an unreliable network
  The simulated platform delivers a cart again, under another requestId, until the connector accepts it. Faults lose
  answers, break connections and delay messages. Each trip must still be one purchase.

  @E2E-X.9 @must @waits
  Scenario: Answers that are lost
    Given a store of the simulated platform
    When the first two answers to a cart are lost
    Then nothing is lost and nothing is doubled

  @E2E-X.10 @must @waits
  Scenario: A caller that hangs up
    Given a store of the simulated platform
    When the caller hangs up before the answer to a cart
    Then nothing is lost and nothing is doubled

  @E2E-X.11 @house @waits @long
  Scenario: Connections that break
    Given a store of the simulated platform
    When carts are cut off, never arrive, or trickle in
    Then nothing is lost and nothing is doubled

  @E2E-X.12 @must @waits @long
  Scenario: A cart that is overtaken
    Given a store of the simulated platform
    When a cart is overtaken by the cart of a shopper who left later
    Then nothing is lost and nothing is doubled

  @E2E-X.13 @must @waits
  Scenario: An old attempt
    Given a store of the simulated platform
    When the first attempt of a cart comes again after a later one and after other carts
    Then nothing is lost and nothing is doubled

  @E2E-X.14 @house @waits @rate
  Scenario: Carts beyond the rate
    Given a store of the simulated platform
    When more people leave at once than the declared rate allows
    Then nothing is lost and nothing is doubled

  @E2E-X.15 @house @alone
  Scenario: A restart while carts are under way
    Given a store of the simulated platform
    When the connector is restarted while carts are under way
    Then nothing is lost and nothing is doubled
