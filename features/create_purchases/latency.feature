Feature: Create Purchases: time to answer
  Amazon publishes no limit; the house budget is two seconds.

  @CP-X.11 @house @alone
  Scenario: Carts are answered within the house's budget
    Given a cart to be timed
    When at least 20 such carts are sent
    Then each answer is complete within the house's time for carts

  @CP-X.37 @house @alone
  Scenario: Twenty people leave at once
    Given a cart that the connector understands
    When 20 people leave at the same moment
    Then each answer is complete within the house's time for carts
