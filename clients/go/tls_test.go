package client

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// authority is a certificate authority for tests.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

// issue returns a certificate for the name, and its key, in PEM.
func (a *authority) issue(t *testing.T, name string) (certificate, key []byte) {
	t.Helper()
	private := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, private.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: encoded})
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// writeFiles writes the files that the client reads.
func writeFiles(t *testing.T, files MutualTLS, authority *authority, name string) {
	t.Helper()
	certificate, key := authority.issue(t, name)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.certificate.Raw})
	for path, content := range map[string][]byte{files.CA: ca, files.Certificate: certificate, files.Key: key} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func filesIn(folder string) MutualTLS {
	return MutualTLS{
		CA:          filepath.Join(folder, "ca.pem"),
		Certificate: filepath.Join(folder, "own.pem"),
		Key:         filepath.Join(folder, "own.key"),
		ServerName:  "twofactor.test",
	}
}

func TestMutualTLS(t *testing.T) {
	authority := newAuthority(t)
	callers := make(chan string, 1)
	server := serve(t, []answer{{}}, authority.requireClientCertificates(t), grpc.StreamInterceptor(
		func(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			callers <- callerOf(stream.Context())
			return next(service, stream)
		}))
	call := func(transport credentials.TransportCredentials) error {
		client, err := New(server.address, transport)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		return client.invoke(t.Context(), getSession)
	}

	files := filesIn(t.TempDir())
	writeFiles(t, files, authority, "front-end")
	transport := credentialsOf(t, files)
	for _, name := range []string{"front-end", "front-end-renewed"} {
		writeFiles(t, files, authority, name)
		if err := call(transport); err != nil {
			t.Fatal(err)
		}
		if caller := <-callers; caller != name {
			t.Errorf("the caller is %s, want %s", caller, name)
		}
	}
	writeFiles(t, files, newAuthority(t), "front-end")
	if err := call(credentialsOf(t, files)); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("the server's certificate is of another authority: %v", err)
	}
}

// requireClientCertificates configures a server with a certificate of this authority, which it also requires of callers.
func (a *authority) requireClientCertificates(t *testing.T) grpc.ServerOption {
	t.Helper()
	certificate, key := a.issue(t, "twofactor.test")
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	clientCAs := x509.NewCertPool()
	clientCAs.AddCert(a.certificate)
	return grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clientCAs,
	}))
}

func credentialsOf(t *testing.T, files MutualTLS) credentials.TransportCredentials {
	t.Helper()
	transport, err := files.Credentials()
	if err != nil {
		t.Fatal(err)
	}
	return transport
}

func callerOf(ctx context.Context) string {
	caller, _ := peer.FromContext(ctx)
	return caller.AuthInfo.(credentials.TLSInfo).State.PeerCertificates[0].Subject.CommonName
}

func TestMutualTLSNamesTheInvalidFile(t *testing.T) {
	files := filesIn(t.TempDir())
	expectErrorNaming := func(path string) {
		t.Helper()
		if _, err := files.Credentials(); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%v does not name %s", err, path)
		}
	}
	expectErrorNaming(files.CA)
	if err := os.WriteFile(files.CA, []byte("not a certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	expectErrorNaming(files.CA)
	writeFiles(t, files, newAuthority(t), "front-end")
	if err := os.Remove(files.Key); err != nil {
		t.Fatal(err)
	}
	expectErrorNaming(files.Key)
}
