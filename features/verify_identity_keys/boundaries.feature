Feature: Verify Identity Keys: just within the limits
  An unusual but valid request gets an answer like any other.

  @VIK-X.14 @house
  Scenario: A key of exactly 1000 characters
    Given a scan that the connector understands
    When it is sent once for each key of the longest kind
    Then it is refused with 401

  @VIK-X.15 @house
  Scenario: Forms of time
    Given a scan that the connector understands
    When it is sent once for each form of time
    Then each is decided on the key's merits

  @VIK-X.16 @house
  Scenario: Forms of UUID
    Given a scan that the connector understands
    When it is sent once for each form of UUID
    Then each is decided on the key's merits

  @VIK-X.17 @should
  Scenario: Each keyChannel
    Given a scan that the connector understands
    When it is sent once for each key channel
    Then each is decided on the key's merits

  @VIK-X.18 @house
  Scenario: null counts as absent
    Given a scan that the connector understands
    When it is sent once for each optional member as null
    Then each is decided on the key's merits

  @VIK-X.19 @must
  Scenario: JSON in any valid form
    Given a scan that the connector understands
    When it is sent once for each way to write its JSON
    Then each is decided on the key's merits
