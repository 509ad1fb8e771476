/**
 * The Java client of twofactor. {@link twofactor.client.TwoFactorClient} provides the generated stubs of {@code
 * twofactor.v1} with the published timeouts and retries, request_ids, and typed errors.
 */
package twofactor.client;
