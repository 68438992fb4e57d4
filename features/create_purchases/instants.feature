Feature: Create Purchases: times are instants
  Times with offsets and fractions are compared as instants, and not as texts.

  @CP-X.88 @house
  Scenario: A visit that only looks backwards
    Given a cart that the connector understands
    When it comes with each visit that only looks backwards
    Then each of them makes a purchase

  @CP-X.89 @must
  Scenario: A visit that only looks in order
    Given a cart that the connector understands
    When it comes with each visit that only looks in order
    Then each of them is refused with 400

  @CP-X.90 @house
  Scenario: A visit that ends a part of a second too early
    Given a cart that the connector understands
    When it comes with each visit that ends a part of a second too early
    Then each of them is refused with 400
