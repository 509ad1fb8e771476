/**
 * A client of twofactor: {@link twofactor.client.TwoFactorClient} for the generated stubs of {@code twofactor.v1} with
 * the published timeouts and retries, a {@code request_id} in every call that takes one, and typed refusals.
 */
package twofactor.client;
