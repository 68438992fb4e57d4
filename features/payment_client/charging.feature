Feature: Payment client: charging
  The retailer's own payment client gets trips, and charges them at the simulated platform. The suite checks the charges there.

  @PAY-X.1 @must @alone
  Scenario: Calls are signed
    Given the payment client had to charge a day of trips
    Then every payment call was signed as it must be

  @PAY-X.2 @must @alone
  Scenario: Calls are valid
    Given the payment client had to charge a day of trips
    Then the platform understood every payment call

  @PAY-X.3 @must @alone
  Scenario: The total of each cart is taken
    Given the payment client had to charge a day of trips
    Then the platform took the total of each cart

  @PAY-X.4 @must @alone
  Scenario: Adjust comes before Capture
    Given the payment client had to charge a day of trips
    Then each capture had an approved adjustment before it

  @PAY-X.6 @must @alone
  Scenario: An empty cart is cancelled
    Given the payment client had to charge a day of trips
    Then the charge of the empty cart was cancelled

  @PAY-X.7 @must @alone
  Scenario: Each refund is made once
    Given the payment client had to charge a day of trips
    Then the platform made each refund once

  @PAY-X.9 @must @alone
  Scenario: Each refund has an id of its own
    Given the payment client had to charge a day of trips
    Then each refund had an id of its own

  @PAY-X.20 @house @alone
  Scenario: The report agrees with the platform
    Given the payment client had to charge a day of trips
    Then it reported the money of the platform to the cent

  @PAY-X.21 @house @alone
  Scenario: The payment client exits
    Given the payment client had to charge a day of trips
    Then the payment client ended by itself
