// Package client calls twofactor, the second-factor backend, over gRPC.
//
// A [Client] has the clients of the three services on one connection. It applies the published deadlines and retries,
// sets the request_id of requests that have none, and returns errors that errors.As distinguishes (see
// [TwoFactorError]).
//
// The messages are in package twofactorv1. They hide their secrets when they are printed or logged.
package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"errors"
	"fmt"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	"twofactor.example/client/internal/requestid"
	"twofactor.example/client/twofactorv1"
)

// The published deadlines and retry policies, copied by generate.sh.
//
//go:embed service_config.json
var serviceConfig string

// Client has the clients of the services. It is safe for concurrent use; one per process is enough.
//
// A call and its retries end at the published deadline of the method (2, 5 or 10 seconds) or at the deadline of the
// context, whichever is earlier. Only UNAVAILABLE is retried, and only for methods that are safe to retry.
type Client struct {
	// SignIn verifies the first factor and manages sessions.
	SignIn twofactorv1.SignInServiceClient
	// TwoFactor verifies and changes the second factor.
	TwoFactor twofactorv1.TwoFactorServiceClient
	// Account manages accounts, passwords and identities.
	Account twofactorv1.AccountServiceClient

	connection *grpc.ClientConn
}

// New creates a client for the server at address: host:port, unix:/path, or another target of grpc.NewClient. The client
// connects on the first call and reconnects when the connection is lost. New fails only if an argument is invalid.
//
// The transport is [MutualTLS], or insecure.NewCredentials() of grpc-go for a server on loopback or a unix socket.
// Interceptors in the options see the request with its request_id and the original gRPC status.
func New(address string, transport credentials.TransportCredentials, options ...grpc.DialOption) (*Client, error) {
	connection, err := grpc.NewClient(address, append([]grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		// A service config from DNS would replace the published one.
		grpc.WithDisableServiceConfig(),
		grpc.WithDefaultServiceConfig(serviceConfig),
		grpc.WithChainUnaryInterceptor(call),
	}, options...)...)
	if err != nil {
		return nil, fmt.Errorf("twofactor client for %s: %w", address, err)
	}
	return &Client{
		SignIn:     twofactorv1.NewSignInServiceClient(connection),
		TwoFactor:  twofactorv1.NewTwoFactorServiceClient(connection),
		Account:    twofactorv1.NewAccountServiceClient(connection),
		connection: connection,
	}, nil
}

// Close closes the connection. Running calls end with the status CANCELLED.
func (c *Client) Close() error {
	return c.connection.Close()
}

// call sets the request_id and converts errors. It runs above gRPC's retries, so all attempts have the same request_id.
func call(ctx context.Context, method string, request, reply any, connection *grpc.ClientConn,
	invoke grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	if message, ok := request.(proto.Message); ok {
		request = requestid.With(message)
	}
	if err := invoke(ctx, method, request, reply, connection, options...); err != nil {
		return newError(method, err).typed()
	}
	return nil
}

// MutualTLS has the paths of the PEM files for mutual TLS.
type MutualTLS struct {
	// CA holds the certificates of the authorities that may issue the server's certificate.
	CA string
	// Certificate and Key identify the caller. They are read at each handshake, so they can be renewed at any time.
	Certificate, Key string
	// ServerName is the name in the server's certificate. If it is empty, the host of the address is expected.
	ServerName string
}

// Credentials returns the credentials for [New]. The error names the file that cannot be read or used.
func (m MutualTLS) Credentials() (credentials.TransportCredentials, error) {
	pem, err := os.ReadFile(m.CA)
	if err != nil {
		return nil, fmt.Errorf("CA: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("CA: no certificate in " + m.CA)
	}
	loadCertificate := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(m.Certificate, m.Key)
		if err != nil {
			return nil, fmt.Errorf("certificate and key: %w", err)
		}
		return &pair, nil
	}
	// Report unusable files now rather than in every call.
	if _, err := loadCertificate(nil); err != nil {
		return nil, err
	}
	return credentials.NewTLS(&tls.Config{
		RootCAs:              roots,
		GetClientCertificate: loadCertificate,
		ServerName:           m.ServerName,
		MinVersion:           tls.VersionTLS12,
	}), nil
}
