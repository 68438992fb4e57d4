Feature: Create Purchases: unusual goods, people, visits and stores
  A cart is valid however unusual its goods, its people and its times are.

  @CP-X.78 @house
  Scenario: Item ids of any text
    Given a cart that the connector understands
    When it comes with each item id of an unusual form
    Then each of them makes a purchase

  @CP-X.79 @house
  Scenario: Control characters make nothing fail
    Given a cart that the connector understands
    When it comes with each text with control characters
    Then none of them makes the connector fail

  @CP-X.80 @house
  Scenario: Quantities at the limits
    Given a cart that the connector understands
    When it comes with each quantity at the limits
    Then each of them makes a purchase

  @CP-X.81 @must
  Scenario: Lines of different kinds in one cart
    Given a cart that the connector understands
    When it comes with each mixture of lines
    Then each of them makes a purchase

  @CP-X.82 @should
  Scenario: A large group
    Given a cart that the connector understands
    When it comes with each large group
    Then each of them makes a purchase

  @CP-X.83 @must
  Scenario: People who entered in different ways
    Given a cart that the connector understands
    When it comes with each mixture of people
    Then each of them makes a purchase

  @CP-X.84 @must
  Scenario: A visit of any length, on any day
    Given a cart that the connector understands
    When it comes with each length of a visit
    Then each of them makes a purchase

  @CP-X.85 @house @alone
  Scenario: A cart of 200 lines in time
    Given a cart of 200 lines
    When it is sent
    Then a purchase is made
    And each answer is complete within the house's time for carts

  @CP-X.86 @house
  Scenario: A store id that is only similar
    Given a cart that the connector understands
    When it comes with each store id that is only similar
    Then each of them is treated like an unknown store

  @CP-X.87 @house
  Scenario: lineItemIds that look alike
    Given a cart that the connector understands
    When it comes with each set of lineItemIds that look alike
    Then each of them makes a purchase
