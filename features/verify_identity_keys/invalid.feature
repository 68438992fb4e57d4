Feature: Verify Identity Keys: what is refused as invalid
  Each scan has exactly one error. The suite never checks the text of a refusal.

  @VIK-3.1 @must
  Scenario: Missing requestId
    Given a scan that the connector understands
    When it is sent without "requestId"
    Then it is refused with 400

  @VIK-3.2 @must
  Scenario: Invalid requestId Format
    Given a scan that the connector understands
    When it is sent with "requestId" set to "not-a-uuid!"
    Then it is refused with 400

  @VIK-3.3 @must
  Scenario: Missing identityKey
    Given a scan that the connector understands
    When it is sent without "identityKey"
    Then it is refused with 400

  @VIK-3.4 @must
  Scenario: identityKey Exceeds 1000 Characters
    Given a scan that the connector understands
    When it is sent with "identityKey" as valid Base64 of 1004 and of 1340 characters
    Then it is refused with 400

  @VIK-3.5 @must
  Scenario: identityKey Not Valid Base64
    Given a scan that the connector understands
    When it is sent with "identityKey" set to "*** not base64 ***"
    Then it is refused with 400

  @VIK-3.6 @must
  Scenario: Missing storeId
    Given a scan that the connector understands
    When it is sent without "storeId"
    Then it is refused with 400

  @VIK-3.7 @must
  Scenario: storeId Exceeds 255 Characters
    Given a scan that the connector understands
    When it is sent with "storeId" of 256 characters
    Then it is refused with 400

  @VIK-3.8 @must
  Scenario: Invalid storeId
    Given a scan that the connector understands
    When it is sent for a store that does not exist
    Then it is refused with 400

  @VIK-3.9 @must
  Scenario: Missing authEvent
    Given a scan that the connector understands
    When it is sent without "authEvent"
    Then it is refused with 400

  @VIK-3.10 @must
  Scenario: Missing authEvent.id
    Given a scan that the connector understands
    When it is sent without "authEvent.id"
    Then it is refused with 400

  @VIK-3.11 @must
  Scenario: Invalid authEvent.id Format
    Given a scan that the connector understands
    When it is sent with "authEvent.id" set to "not a valid id!"
    Then it is refused with 400

  @VIK-3.12 @must
  Scenario: Missing authEvent.timestamp
    Given a scan that the connector understands
    When it is sent without "authEvent.timestamp"
    Then it is refused with 400

  @VIK-3.13 @must
  Scenario: Invalid authEvent.timestamp Format
    Given a scan that the connector understands
    When it is sent with "authEvent.timestamp" set to "not a timestamp"
    Then it is refused with 400

  @VIK-3.14 @must
  Scenario: Missing authEvent.location
    Given a scan that the connector understands
    When it is sent without "authEvent.location"
    Then it is refused with 400

  @VIK-3.15 @must
  Scenario: Invalid authEvent.location Value
    Given a scan that the connector understands
    When it is sent with "authEvent.location" set to "ROOFTOP"
    Then it is refused with 400

  @VIK-3.16 @must
  Scenario: Invalid keyChannel Value
    Given a scan that the connector understands
    When it is sent with "keyChannel" set to "TELEPATHY"
    Then it is refused with 400

  @VIK-3.17 @must
  Scenario Outline: Empty Request Body
    Given a scan that the connector understands
    When its path is called with <body>
    Then it is refused with 400

    Examples:
      | body            |
      | no body         |
      | an empty object |

  @VIK-X.8 @house
  Scenario Outline: A body that is not a JSON object
    Given a scan that the connector understands
    When its path is called with <body>
    Then it is refused as invalid

    Examples:
      | body             |
      | half a JSON text |
      | a JSON list      |

  @VIK-X.20 @house @waits
  Scenario: Wrong types
    Given a scan that the connector understands
    When it is sent once for each member of a wrong type
    Then it is refused with 400

  @VIK-X.21 @house
  Scenario: Required texts that are empty
    Given a scan that the connector understands
    When it is sent once for each required text empty
    Then it is refused with 400
