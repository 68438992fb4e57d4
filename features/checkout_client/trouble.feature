Feature: Checkout client: when the platform fails
  The client repeats a cart that may be repeated, unchanged and after the pause that the platform asks for.

  @CHK-X.7 @must @alone
  Scenario: A cart is repeated unchanged
    Given the checkout client had to send a cart of which the answer is lost
    Then the attempts of a cart were equal

  @CHK-X.8 @house @alone
  Scenario: A 429 is tried again
    Given the checkout client had to send a cart while the call is answered 429
    Then the failed cart came again and was accepted

  @CHK-X.9 @house @alone
  Scenario: The client waits after a 429
    Given the checkout client had to send a cart while the call is answered 429
    Then the failed cart came again no sooner than it should

  @CHK-X.10 @house @alone
  Scenario: A 500 that may be retried is tried again
    Given the checkout client had to send a cart while the call is answered 500, which may be retried
    Then the failed cart came again and was accepted

  @CHK-X.11 @house @alone
  Scenario: A lost answer is tried again
    Given the checkout client had to send a cart of which the answer is lost
    Then the failed cart came again and was accepted

  @CHK-X.12 @house @alone
  Scenario: A 400 is not tried again
    Given the checkout client had to send two carts, of which the platform does not know the first trip
    Then the refused cart did not come again

  @CHK-X.13 @house @alone
  Scenario: Other carts are sent all the same
    Given the checkout client had to send two carts, of which the platform does not know the first trip
    Then the other carts were accepted
