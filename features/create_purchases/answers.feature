Feature: Create Purchases: one answer for every kind of cart
  The platform reads the answer to each kind of cart in the same way. Only POST makes a purchase.

  @CP-X.97 @must
  Scenario: The answer to each kind of cart
    Given a cart that the connector understands
    When a cart of each kind is sent, and again with another requestId
    Then each kind gets the answer of its kind

  @CP-X.98 @should
  Scenario: The answer to each kind of cart says that it is JSON
    Given a cart that the connector understands
    When a cart of each kind is sent, and again with another requestId
    Then each answer says that it is JSON

  @CP-X.99 @house
  Scenario: Other methods make no purchase
    Given a cart that the connector understands
    When an empty cart comes by other methods, and one with items by POST
    Then no other method makes a purchase
