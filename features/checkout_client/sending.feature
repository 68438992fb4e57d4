Feature: Checkout client: sending
  The retailer's own checkout client gets priced lines, and sends carts to the simulated platform. The suite checks the orders there.

  @CHK-X.1 @must @alone
  Scenario: Calls are signed
    Given the checkout client had to send a day of carts
    Then every checkout call was signed as it must be

  @CHK-X.2 @must @alone
  Scenario: Calls are valid
    Given the checkout client had to send a day of carts
    Then the platform understood every cart

  @CHK-X.3 @must @alone
  Scenario: Lines and totals agree
    Given the checkout client had to send a day of carts
    Then the totals of every cart agreed

  @CHK-X.4 @must @alone
  Scenario: The total of each cart is right
    Given the checkout client had to send a day of carts
    Then each order had the total of its lines

  @CHK-X.5 @must @alone
  Scenario: Every line is sent
    Given the checkout client had to send a day of carts
    Then each cart had all its lines

  @CHK-X.6 @must @alone
  Scenario: An empty cart is not sent
    Given the checkout client had to send a day of carts
    Then the empty cart was not sent

  @CHK-X.14 @house @alone
  Scenario: The report agrees with the platform
    Given the checkout client had to send a day of carts
    Then it reported the orders of the platform to the cent

  @CHK-X.15 @house @alone
  Scenario: The checkout client exits
    Given the checkout client had to send a day of carts
    Then the checkout client ended by itself
