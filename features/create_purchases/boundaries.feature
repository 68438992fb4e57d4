Feature: Create Purchases: just within the limits
  An unusual but valid cart makes a purchase like any other.

  @CP-X.14 @must
  Scenario: Texts of exactly the longest length
    Given a cart that the connector understands
    When it is sent once for each text of the longest kind
    Then each makes a purchase

  @CP-X.15 @house
  Scenario: Forms of trip id
    Given a cart that the connector understands
    When it is sent once for each form of trip id
    Then each makes a purchase

  @CP-X.16 @house
  Scenario: Forms of time
    Given a cart that the connector understands
    When it is sent once for each form of time
    Then each makes a purchase

  @CP-X.17 @house
  Scenario: Forms of UUID
    Given a cart that the connector understands
    When it is sent once for each form of UUID
    Then each makes a purchase

  @CP-X.18 @house
  Scenario: Other scripts
    Given a cart that the connector understands
    When it is sent once for each text in other scripts
    Then each makes a purchase

  @CP-X.19 @house
  Scenario: A cart of 1,000 lines
    Given a cart of 1000 lines
    When it is sent
    Then a purchase is made

  @CP-X.20 @must
  Scenario: Each published value
    Given a cart that the connector understands
    When it is sent once for each published value
    Then each makes a purchase

  @CP-X.21 @house
  Scenario: Each value that the house adds
    Given a cart that the connector understands
    When it is sent once for each value that the house adds
    Then each makes a purchase

  @CP-X.22 @house
  Scenario: null counts as absent
    Given a cart that the connector understands
    When it is sent once for each optional member as null
    Then each makes a purchase

  @CP-X.23 @should
  Scenario: Empty ids
    Given a cart that the connector understands
    When it is sent once for each id left blank
    Then each makes a purchase

  @CP-X.24 @house
  Scenario: A trip without entries
    Given a cart that the connector understands
    And its list of authEvents is empty
    When it is sent
    Then a purchase is made

  @CP-X.25 @house
  Scenario: Optional members present
    Given a cart that the connector understands
    When it is sent once for each optional member present
    Then each makes a purchase

  @CP-X.26 @must
  Scenario: JSON in any valid form
    Given a cart that the connector understands
    When it is sent once for each way to write its JSON
    Then each makes a purchase

  @CP-X.27 @house
  Scenario: Forms of quantity
    Given a cart that the connector understands
    When it is sent once for each form of quantity
    Then each makes a purchase
