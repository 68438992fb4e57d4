Feature: Shopper Authorization: what is refused as invalid
  Each call has exactly one error.

  @SA-7a.12 @must
  Scenario: Missing Required Fields (400 Error)
    Given a card tap that the connector understands
    When it is sent once without each of "storeId, shopperIdentity"
    Then it is refused with 400

  @SA-7a.13 @must
  Scenario: Invalid Store ID (400 Error)
    Given a card tap that the connector understands
    When it is sent for a store that does not exist
    Then it is refused with 400
