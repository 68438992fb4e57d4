Feature: Catalog client: when the platform fails
  The client repeats a call that may be repeated, after the pause that the platform asks for, and no other call.

  @CAT-X.6 @house @alone
  Scenario: A 429 is tried again
    Given the client had to upload a catalog while the first call is answered 429
    Then the upload came again and was accepted

  @CAT-X.7 @house @alone
  Scenario: The client waits after a 429
    Given the client had to upload a catalog while the first call is answered 429
    Then the upload came again no sooner than it should

  @CAT-X.8 @house @alone
  Scenario: A 500 that may be retried is tried again
    Given the client had to upload a catalog while the first call is answered 500, which may be retried
    Then the upload came again and was accepted

  @CAT-X.9 @house @alone
  Scenario: The client waits after a 500 that may be retried
    Given the client had to upload a catalog while the first call is answered 500, which may be retried
    Then the upload came again no sooner than it should

  @CAT-X.10 @house @alone
  Scenario: A final 500 is not tried again
    Given the client had to upload a catalog while the first call is answered 500, which is final
    Then the upload did not come again
