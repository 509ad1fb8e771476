// Package client calls twofactor, the second-factor backend, over gRPC.
//
// A [Client] is the contract's three services over one connection, with what the contract asks of every caller built
// in: the published deadlines and retries, a request_id where the caller gives none, and refusals as Go errors that
// errors.As tells apart (see [TwoFactorError]).
//
// Messages are those of package twofactorv1. Printed or logged, they hide their secrets.
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

// The published one, copied by generate.sh: deadlines, and which methods are retried when.
//
//go:embed service_config.json
var serviceConfig string

// Client holds the services of the contract. It may be used by any number of goroutines at once; one for the whole
// process is enough.
//
// Each call ends at the deadline that is published for its method (2, 5 or 10 seconds), or at that of its context where
// it comes first, retries included. Only a status UNAVAILABLE is retried, and only for methods where that is harmless.
type Client struct {
	// SignIn takes people up to the second factor, and looks after sessions.
	SignIn twofactorv1.SignInServiceClient
	// TwoFactor proves the second factor, and changes it.
	TwoFactor twofactorv1.TwoFactorServiceClient
	// Account makes accounts, and changes what people sign in with.
	Account twofactorv1.AccountServiceClient

	connection *grpc.ClientConn
}

// New makes a client for the server at address: host:port, unix:/path, or any other target that grpc.NewClient takes.
// It connects with the first call, and again whenever the connection is lost; an error here is one of the arguments.
//
// The transport is [MutualTLS], or insecure.NewCredentials() of grpc-go for a server on loopback or a unix socket.
// Interceptors among the options see what is sent: the request with its request_id, and the bare gRPC status.
func New(address string, transport credentials.TransportCredentials, options ...grpc.DialOption) (*Client, error) {
	connection, err := grpc.NewClient(address, append([]grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		// A service config out of the DNS would take the place of the published one.
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

// Close ends the connection. Calls under way end with the status CANCELLED.
func (c *Client) Close() error {
	return c.connection.Close()
}

// call is one logical call: gRPC's retries happen below it, so that all attempts carry the same request_id.
func call(ctx context.Context, method string, request, reply any, connection *grpc.ClientConn,
	invoke grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	if message, ok := request.(proto.Message); ok {
		request = requestid.With(message)
	}
	if err := invoke(ctx, method, request, reply, connection, options...); err != nil {
		return refused(method, err).typed()
	}
	return nil
}

// MutualTLS names the PEM files by which caller and server know each other.
type MutualTLS struct {
	// CA holds the certificates of whoever may vouch for the server.
	CA string
	// Certificate and Key are the caller's own. They are read at each handshake, so that they may be replaced by newer
	// ones at any time.
	Certificate, Key string
	// ServerName is the name in the server's certificate. Empty: the host of the address.
	ServerName string
}

// Credentials are for [New]. An error says which file cannot be read or used.
func (m MutualTLS) Credentials() (credentials.TransportCredentials, error) {
	pem, err := os.ReadFile(m.CA)
	if err != nil {
		return nil, fmt.Errorf("CA: %w", err)
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(pem) {
		return nil, errors.New("CA: no certificate in " + m.CA)
	}
	own := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(m.Certificate, m.Key)
		if err != nil {
			return nil, fmt.Errorf("certificate and key: %w", err)
		}
		return &pair, nil
	}
	// What is wrong with them already should be said now, not by every call.
	if _, err := own(nil); err != nil {
		return nil, err
	}
	return credentials.NewTLS(&tls.Config{
		RootCAs:              authorities,
		GetClientCertificate: own,
		ServerName:           m.ServerName,
		MinVersion:           tls.VersionTLS12,
	}), nil
}
