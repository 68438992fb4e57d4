Feature: Verify Identity Keys: what is nearly valid
  Lenient readers accept more than the contract allows. Each scan has exactly one error.

  @VIK-X.50 @must
  Scenario: A requestId that is nearly a UUID
    Given a scan that the connector understands
    When it comes once as each requestId that is nearly a UUID
    Then it is refused with 400

  @VIK-X.51 @must
  Scenario: An authEvent.id with characters that no id has
    Given a scan that the connector understands
    When it comes once as each authEvent.id that is nearly a UUID
    Then it is refused with 400

  @VIK-X.52 @house
  Scenario: An authEvent.id that is no UUID
    Given a scan that the connector understands
    When it comes once as each authEvent.id that only a cart may have
    Then it is refused with 400

  @VIK-X.53 @must
  Scenario: A timestamp that is no time
    Given a scan that the connector understands
    When it comes once as each timestamp of no time
    Then it is refused with 400

  @VIK-X.54 @house
  Scenario: A timestamp in another form
    Given a scan that the connector understands
    When it comes once as each timestamp in another form
    Then it is refused with 400

  @VIK-X.55 @must
  Scenario: A key that is nearly Base64
    Given a scan that the connector understands
    When it comes once as each key that is nearly Base64
    Then it is refused with 400

  @VIK-X.56 @house
  Scenario: A key in another kind of Base64
    Given a scan that the connector understands
    When it comes once as each key in another kind of Base64
    Then it is refused with 400

  @VIK-X.57 @house
  Scenario: A key just over the limit
    Given a scan that the connector understands
    When it comes once as each key just over the limit
    Then it is refused with 400

  @VIK-X.58 @must
  Scenario: A value that is nearly in its closed list
    Given a scan that the connector understands
    When it comes once as each value that is nearly in its list
    Then it is refused with 400

  @VIK-X.59 @house
  Scenario: A listed value that is written in another way
    Given a scan that the connector understands
    When it comes once as each value written in another way
    Then it is refused with 400

  @VIK-X.60 @house
  Scenario: A body that is nearly JSON
    Given a scan that the connector understands
    When it comes once as each body that is nearly JSON
    Then each is refused as invalid

  @VIK-X.61 @house
  Scenario: A body with a byte order mark
    Given a scan that the connector understands
    When it comes once as each body with a byte order mark
    Then each is decided on the key's merits, or refused as invalid

  @VIK-X.62 @house
  Scenario: A member in a list
    Given a scan that the connector understands
    When it comes once as each member in a list
    Then it is refused with 400

  @VIK-X.63 @must
  Scenario: Unknown stores of every kind
    Given a scan that the connector understands
    When it comes once as each unknown store
    Then it is refused with 400

  @VIK-X.64 @house
  Scenario: The store's id in another writing
    Given a scan that the connector understands
    When it comes once as each other writing of the store
    Then it is refused with 400

  @VIK-X.65 @house
  Scenario: Every other method
    Given a scan of the declared shopper key
    When it is sent by every other method, and then an unknown key in its place
    Then no other method decides, or has an effect

  @VIK-X.66 @house
  Scenario: An event of long ago
    Given a scan that the connector understands
    When it comes once as each event of long ago
    Then each is decided on the key's merits

  @VIK-X.77 @house
  Scenario: Forms that standard libraries read
    Given a scan that the connector understands
    When it comes once as each form of standard libraries
    Then each is refused as invalid or malformed
