Feature: Resolve Scan: what should be refused as invalid
  Amazon recommends a 400, which is outside the contract.

  @RS-2 @should
  Scenario: Recommended validation, section 2
    Given a loyalty scan that the connector understands
    When it is sent once without each of "requestId, storeId, scanEvent, scanEvent.id"
    Then it is refused with 400

  @RS-3 @should
  Scenario: Recommended validation, section 3
    Given a loyalty scan that the connector understands
    When it is sent with "requestId" set to "not-a-uuid!"
    Then it is refused with 400
