Feature: Payment client: when the platform fails
  The client repeats a call that may be repeated, after the pause that the platform asks for, and no other call.

  @PAY-X.5 @must @alone
  Scenario: No trip is captured twice
    Given the payment client had to charge a day of trips
    Then no trip was captured twice
    Given the payment client had to charge a trip of which the answers to capture and refund are lost
    Then no trip was captured twice

  @PAY-X.8 @must @alone
  Scenario: A refund keeps its id over attempts
    Given the payment client had to charge a trip of which the answers to capture and refund are lost
    Then the attempts of a refund had one id

  @PAY-X.10 @house @alone
  Scenario: A 429 is tried again
    Given the payment client had to charge a trip while capture and refund are answered 429
    Then each failed payment call came again and was accepted

  @PAY-X.11 @house @alone
  Scenario: The client waits after a 429
    Given the payment client had to charge a trip while capture and refund are answered 429
    Then each failed payment call came again no sooner than it should

  @PAY-X.12 @house @alone
  Scenario: A 500 that may be retried is tried again
    Given the payment client had to charge a trip while adjustment and refund are answered 500, which may be retried
    Then each failed payment call came again and was accepted

  @PAY-X.13 @house @alone
  Scenario: A 503 is tried again
    Given the payment client had to charge a trip while the capture is answered 503
    Then each failed payment call came again and was accepted

  @PAY-X.14 @house @alone
  Scenario: A lost answer is tried again
    Given the payment client had to charge a trip of which the answers to capture and refund are lost
    Then each failed payment call came again and was accepted

  @PAY-X.15 @must @alone
  Scenario: A pending adjustment is tried again
    Given the payment client had to charge a trip of which the adjustment is pending
    Then the pending adjustment came again until it was approved

  @PAY-X.16 @must @alone
  Scenario: Nothing pending is captured
    Given the payment client had to charge a trip of which the adjustment is pending
    Then nothing pending was captured

  @PAY-X.17 @must @alone
  Scenario: Nothing declined is captured
    Given the payment client had to charge two trips, of which the first is declined
    Then nothing declined was captured

  @PAY-X.18 @house @alone
  Scenario: A 400 is not tried again
    Given the payment client had to charge two trips, of which the platform does not know the first
    Then the refused payment call did not come again

  @PAY-X.19 @house @alone
  Scenario: Other trips are charged all the same
    Given the payment client had to charge two trips, of which the platform does not know the first
    Then the other trips were charged
