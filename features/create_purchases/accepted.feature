Feature: Create Purchases: carts that become purchases
  A 201 with a purchaseId means that the purchase is recorded and will be found again.

  @CP-1.1 @must
  Scenario: Single Item Cart — SKU Type, Sold by Unit
    Given a valid cart
    When it is sent
    Then a purchase is made

  @CP-1.2 @must
  Scenario: Multi-Item Cart
    Given a cart of two different items
    When it is sent
    Then a purchase is made

  @CP-1.3 @must
  Scenario: Weight-Based Item
    Given a cart with an item sold by weight
    When it is sent
    Then a purchase is made

  @CP-1.4 @must
  Scenario: SCANCODE Cart Item Type
    Given a cart with an item named by its scanned code
    When it is sent
    Then a purchase is made

  @CP-1.5 @must
  Scenario: Cart Item with External Identifiers
    Given a cart that the connector understands
    And its first line has the UPC of the item
    When it is sent
    Then a purchase is made

  @CP-1.6 @must
  Scenario: Cart Item with lineItemId
    Given a cart that the connector understands
    And its "cartItems[0].lineItemId" is "line-1"
    When it is sent
    Then a purchase is made

  @CP-1.8 @must
  Scenario: Credit Card Entry (FINANCIAL payloadType)
    Given a cart that the connector understands
    And its "shoppingTrip.authEvents[0].payloadType" is "FINANCIAL"
    When it is sent
    Then a purchase is made

  @CP-1.9 @must
  Scenario: QR Code Entry (SCAN_CODE payloadType)
    Given a cart that the connector understands
    And its "shoppingTrip.authEvents[0].payloadType" is "SCAN_CODE"
    When it is sent
    Then a purchase is made

  @CP-1.10 @must
  Scenario: Associate Shopping Trip
    Given the trip of an associate
    When it is sent
    Then a purchase is made

  @CP-1.11 @must
  Scenario: Cash Shopper Trip
    Given the trip of a cash shopper
    When it is sent
    Then a purchase is made

  @CP-1.12 @must
  Scenario: Loyalty Shopper Trip
    Given the trip of a loyalty shopper
    When it is sent
    Then a purchase is made

  @CP-1.13 @must
  Scenario: Group Shopping Trip — Multiple Auth Events
    Given a cart that the connector understands
    When it is sent once for each form of a group
    Then each makes a purchase

  @CP-1.14 @must
  Scenario: Auth Event with MANUAL_IN_STORE Location
    Given a cart that the connector understands
    And its "shoppingTrip.authEvents[0].location" is "MANUAL_IN_STORE"
    When it is sent
    Then a purchase is made

  @CP-1.15 @must
  Scenario: Optional Fields Omitted
    Given a cart that the connector understands
    And nothing optional is in it
    When it is sent
    Then a purchase is made

  @CP-X.56 @must
  Scenario: Each optional member may be absent
    Given a cart that the connector understands
    When it is sent once for each optional member left out
    Then each makes a purchase

  @CP-X.57 @should
  Scenario: Optional objects may be incomplete
    Given a cart that the connector understands
    When it is sent once for each optional object in part
    Then each makes a purchase

  @CP-X.6 @should
  Scenario: Unknown members are ignored at every depth
    Given a cart that the connector understands
    When it is sent with an unknown member in each object, optional ones included
    Then each makes a purchase

  @CP-X.7 @house
  Scenario: A visit may end in the second in which it began
    Given a cart that the connector understands
    And the visit ended in the second in which it began
    When it is sent
    Then a purchase is made

  @CP-X.9 @house
  Scenario: An item that is in no catalog makes a purchase
    Given a cart with an item that is in no catalog
    When it is sent
    Then an unknown item is answered as the house says

  @CP-X.49 @should
  Scenario: An answer says that it is JSON
    Given a cart that the connector understands
    When it is sent
    Then the answer says that it is JSON
