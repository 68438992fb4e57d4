Feature: Create Purchases: what is refused as invalid
  Each cart has exactly one error. The suite never checks the text of a refusal.

  @CP-3.1 @must
  Scenario: Missing requestId
    Given a cart that the connector understands
    When it is sent without "requestId"
    Then it is refused with 400

  @CP-3.2 @must
  Scenario: Invalid requestId Format
    Given a cart that the connector understands
    When it is sent with "requestId" set to "not-a-uuid!"
    Then it is refused with 400

  @CP-3.3 @must
  Scenario: Missing idempotentShoppingTripId
    Given a cart that the connector understands
    When it is sent without "idempotentShoppingTripId"
    Then it is refused with 400

  @CP-3.4 @must
  Scenario: Missing storeId
    Given a cart that the connector understands
    When it is sent without "storeId"
    Then it is refused with 400

  @CP-3.5 @must
  Scenario: storeId Exceeds 255 Characters
    Given a cart that the connector understands
    When it is sent with "storeId" of 256 characters
    Then it is refused with 400

  @CP-3.6 @must
  Scenario: Missing shoppingTrip
    Given a cart that the connector understands
    When it is sent without "shoppingTrip"
    Then it is refused with 400

  @CP-3.7 @must
  Scenario: Missing shoppingTrip.startTime
    Given a cart that the connector understands
    When it is sent without "shoppingTrip.startTime"
    Then it is refused with 400

  @CP-3.8 @must
  Scenario: Missing shoppingTrip.endTime
    Given a cart that the connector understands
    When it is sent without "shoppingTrip.endTime"
    Then it is refused with 400

  @CP-3.9 @must
  Scenario: Invalid shoppingTrip.startTime Format
    Given a cart that the connector understands
    When it is sent with "shoppingTrip.startTime" set to "not a timestamp"
    Then it is refused with 400

  @CP-3.10 @must
  Scenario: endTime Before startTime
    Given a cart that the connector understands
    And an endTime an hour before its startTime
    When it is sent
    Then it is refused with 400

  @CP-3.11 @must
  Scenario: Missing shoppingTrip.authEvents
    Given a cart that the connector understands
    When it is sent without "shoppingTrip.authEvents"
    Then it is refused with 400

  @CP-3.12 @must
  Scenario: Missing authEvent.id
    Given a cart that the connector understands
    When it is sent without "shoppingTrip.authEvents[0].id"
    Then it is refused with 400

  @CP-3.13 @must
  Scenario: Invalid authEvent.id Format
    Given a cart that the connector understands
    When it is sent with an authEvent id that breaks the pattern
    Then it is refused with 400

  @CP-3.14 @must
  Scenario: authEvent.id Exceeds 255 Characters
    Given a cart that the connector understands
    When it is sent with "shoppingTrip.authEvents[0].id" of 256 characters
    Then it is refused with 400

  @CP-3.15 @must
  Scenario: Missing authEvent.payloadType
    Given a cart that the connector understands
    When it is sent without "shoppingTrip.authEvents[0].payloadType"
    Then it is refused with 400

  @CP-3.16 @must
  Scenario: Invalid authEvent.payloadType Value
    Given a cart that the connector understands
    When it is sent with "shoppingTrip.authEvents[0].payloadType" set to "BARTER"
    Then it is refused with 400

  @CP-3.17 @must
  Scenario: Invalid authEvent.location Value
    Given a cart that the connector understands
    When it is sent with "shoppingTrip.authEvents[0].location" set to "ROOFTOP"
    Then it is refused with 400

  @CP-3.18 @must
  Scenario: Missing cartItems
    Given a cart that the connector understands
    When it is sent without "cartItems"
    Then it is refused with 400

  @CP-3.19 @must
  Scenario: Missing cartItems[].id
    Given a cart that the connector understands
    When it is sent without "cartItems[0].id"
    Then it is refused with 400

  @CP-3.20 @must
  Scenario: cartItems[].id Exceeds 255 Characters
    Given a cart that the connector understands
    When it is sent with "cartItems[0].id" of 256 characters
    Then it is refused with 400

  @CP-3.21 @must
  Scenario: Missing cartItems[].type
    Given a cart that the connector understands
    When it is sent without "cartItems[0].type"
    Then it is refused with 400

  @CP-3.22 @must
  Scenario: Invalid cartItems[].type Value
    Given a cart that the connector understands
    When it is sent with "cartItems[0].type" set to "MYSTERY"
    Then it is refused with 400

  @CP-3.23 @must
  Scenario: Missing cartItems[].quantity
    Given a cart that the connector understands
    When it is sent without "cartItems[0].quantity"
    Then it is refused with 400

  @CP-3.24 @must
  Scenario: Missing cartItems[].quantity.value
    Given a cart that the connector understands
    When it is sent without "cartItems[0].quantity.value"
    Then it is refused with 400

  @CP-3.25 @must
  Scenario: quantity.value Exceeds 10 Characters
    Given a cart that the connector understands
    When it is sent with "cartItems[0].quantity.value" set to "1.000000000"
    Then it is refused with 400

  @CP-3.26 @must
  Scenario: Missing cartItems[].quantity.unit
    Given a cart that the connector understands
    When it is sent without "cartItems[0].quantity.unit"
    Then it is refused with 400

  @CP-3.27 @must
  Scenario: Invalid externalIdentifiers[].type Value
    Given a cart that the connector understands
    And its first line has the UPC of the item
    When it is sent with "cartItems[0].externalIdentifiers[0].type" set to "MYSTERY"
    Then it is refused with 400

  @CP-3.28 @must
  Scenario: externalIdentifiers[].id Exceeds 255 Characters
    Given a cart that the connector understands
    And its first line has the UPC of the item
    When it is sent with "cartItems[0].externalIdentifiers[0].id" of 256 characters
    Then it is refused with 400

  @CP-3.29 @must
  Scenario: Invalid scanResult.type Value
    Given a cart that the connector understands
    When it is sent with "shoppingTrip.authEvents[0].scanResult.type" set to "WIZARD"
    Then it is refused with 400

  @CP-3.30 @must
  Scenario: scanResult.id Exceeds 255 Characters
    Given a cart that the connector understands
    When it is sent with "shoppingTrip.authEvents[0].scanResult.id" of 256 characters
    Then it is refused with 400

  @CP-3.31 @must
  Scenario: shopperIdentity.id Exceeds 255 Characters
    Given a cart that the connector understands
    When it is sent with "shopperIdentity.id" of 256 characters
    Then it is refused with 400

  @CP-3.32 @must
  Scenario: shopperDeviceId Exceeds 255 Characters
    Given a cart that the connector understands
    When it is sent with "shopperDeviceId" of 256 characters
    Then it is refused with 400

  @CP-3.33 @must
  Scenario: lineItemId Exceeds 255 Characters
    Given a cart that the connector understands
    When it is sent with "cartItems[0].lineItemId" of 256 characters
    Then it is refused with 400

  @CP-3.34 @must
  Scenario: Duplicate lineItemId Values
    Given a cart that the connector understands
    And two lines with one lineItemId
    When it is sent
    Then it is refused with 400

  @CP-3.35 @must
  Scenario Outline: Empty Request Body
    Given a cart that the connector understands
    When its path is called with <body>
    Then it is refused with 400

    Examples:
      | body            |
      | no body         |
      | an empty object |

  @CP-X.8 @house
  Scenario Outline: A body that is not a JSON object
    Given a cart that the connector understands
    When its path is called with <body>
    Then it is refused as invalid

    Examples:
      | body             |
      | half a JSON text |
      | a JSON list      |

  @CP-X.10 @house
  Scenario: A store that does not exist
    Given a cart that the connector understands
    When it is sent for a store that does not exist
    Then an unknown store is answered as the house says

  @CP-X.28 @house
  Scenario: Texts that are no quantity
    Given a cart that the connector understands
    When it is sent once for each text that is no quantity
    Then it is refused with 400

  @CP-X.29 @house @waits
  Scenario: Wrong types
    Given a cart that the connector understands
    When it is sent once for each member of a wrong type
    Then it is refused with 400

  @CP-X.30 @house
  Scenario: Required texts that are empty
    Given a cart that the connector understands
    When it is sent once for each required text empty
    Then it is refused with 400
