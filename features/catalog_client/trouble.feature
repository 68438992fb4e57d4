Feature: Catalog client: when the platform is in trouble
  What is worth another try is tried again, after the pause that the platform asks for; what is not is left alone.

  @CAT-X.6 @house @alone
  Scenario: 429 is tried again
    Given the client had to upload a catalog while the first call is answered 429
    Then the upload came again and was taken

  @CAT-X.7 @house @alone
  Scenario: 429 is waited out
    Given the client had to upload a catalog while the first call is answered 429
    Then the upload came again no sooner than it should

  @CAT-X.8 @house @alone
  Scenario: 500 that may be retried is tried again
    Given the client had to upload a catalog while the first call is answered 500, worth another try
    Then the upload came again and was taken

  @CAT-X.9 @house @alone
  Scenario: 500 that may be retried is waited out
    Given the client had to upload a catalog while the first call is answered 500, worth another try
    Then the upload came again no sooner than it should

  @CAT-X.10 @house @alone
  Scenario: 500 for good is not tried again
    Given the client had to upload a catalog while the first call is answered 500, for good
    Then the upload did not come again
