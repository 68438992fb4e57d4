Feature: Get Scan Details: a shopper's loyalty data
  The platform asks for shoppers that Resolve Scan accepted.

  @GSD-X.1 @must
  Scenario: The details of an accepted shopper
    Given a loyalty scan of the declared accepted content
    When its shopper's details are asked for
    Then the details are complete

  @GSD-X.2 @must
  Scenario: An unknown shopper
    Given a question about an unknown shopper
    When it is sent
    Then it is refused with 404

  @GSD-X.3 @should
  Scenario: Details say that they are JSON
    Given a loyalty scan of the declared accepted content
    When its shopper's details are asked for
    Then the answer says that it is JSON
