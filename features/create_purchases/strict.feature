Feature: Create Purchases: nearly valid carts
  Each cart has one member that is only nearly right. A parser or a check that is too tolerant accepts it.

  @CP-X.60 @must
  Scenario: Texts that are no UUID in any notation
    Given a cart that the connector understands
    When it comes with each requestId that is no UUID
    Then each of them is refused with 400

  @CP-X.61 @should
  Scenario: A UUID in another notation
    Given a cart that the connector understands
    When it comes with each requestId in another notation
    Then each of them is refused with 400

  @CP-X.62 @must
  Scenario: A startTime that no calendar has
    Given a cart that the connector understands
    When it comes with each startTime that no calendar has
    Then each of them is refused with 400

  @CP-X.63 @house
  Scenario: The other times are checked too
    Given a cart that the connector understands
    When it comes with each endTime or timestamp that is no time
    Then each of them is refused with 400

  @CP-X.64 @house
  Scenario: A time in another notation
    Given a cart that the connector understands
    When it comes with each time in another notation
    Then each of them is refused with 400

  @CP-X.58 @house
  Scenario: An authEvent id in another alphabet
    Given a cart that the connector understands
    When it comes with each authEvent id in another alphabet
    Then each of them is refused with 400

  @CP-X.65 @must
  Scenario: A value that is only similar to a listed one
    Given a cart that the connector understands
    When it comes with each value that is only similar
    Then each of them is refused with 400

  @CP-X.66 @should
  Scenario: A value in another spelling
    Given a cart that the connector understands
    When it comes with each value in another spelling
    Then each of them is refused with 400

  @CP-X.67 @house
  Scenario: A quantity in another notation
    Given a cart that the connector understands
    When it comes with each quantity in another notation
    Then each of them is refused with 400

  @CP-X.68 @must
  Scenario: A quantity of 11 characters, whatever they are
    Given a cart that the connector understands
    When it comes with each quantity that is too long
    Then each of them is refused with 400

  @CP-X.69 @must
  Scenario: A text that is too long, of any kind
    Given a cart that the connector understands
    When it comes with each text that is too long
    Then each of them is refused with 400

  @CP-X.70 @should
  Scenario: A text of 255 characters of any alphabet
    Given a cart that the connector understands
    When it comes with each text of 255 characters of any alphabet
    Then each of them makes a purchase

  @CP-X.71 @house
  Scenario: A body that is almost JSON
    Given a cart that the connector understands
    When it comes with each body that is almost JSON
    Then each of them is refused as malformed

  @CP-X.72 @house
  Scenario: A list, an object or null in place of another value
    Given a cart that the connector understands
    When it comes with each list, object or null in place of another value
    Then each of them is refused with 400
