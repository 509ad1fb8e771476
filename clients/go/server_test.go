package client

import (
	"context"
	"net"
	"path"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// answer is the reply to a call: an empty response if err is nil.
type answer struct {
	err      error
	pushback string
}

// attempt is a request that the server received.
type attempt struct {
	requestID string
	// timeLeft is the time until the deadline, or 0 without one.
	timeLeft time.Duration
}

// server is a gRPC server on loopback for all methods of the contract. It sends the answers in order and repeats the last.
type server struct {
	address string

	mutex    sync.Mutex
	answers  []answer
	attempts map[string][]attempt
}

func serve(t *testing.T, answers []answer, options ...grpc.ServerOption) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{address: listener.Addr().String(), answers: answers, attempts: map[string][]attempt{}}
	running := grpc.NewServer(append(options, grpc.UnknownServiceHandler(s.handle))...)
	go func() { _ = running.Serve(listener) }()
	t.Cleanup(running.Stop)
	return s
}

func (s *server) handle(_ any, stream grpc.ServerStream) error {
	name, _ := grpc.MethodFromServerStream(stream)
	method := path.Base(name)
	request := message(method + "Request")
	if err := stream.RecvMsg(request); err != nil {
		return err
	}
	next := s.record(method, request, stream.Context())
	if next.pushback != "" {
		stream.SetTrailer(metadata.Pairs("grpc-retry-pushback-ms", next.pushback))
	}
	if next.err != nil {
		return next.err
	}
	return stream.SendMsg(message(method + "Response"))
}

// record stores the attempt and returns the next answer.
func (s *server) record(method string, request proto.Message, ctx context.Context) answer {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var received attempt
	if field := request.ProtoReflect().Descriptor().Fields().ByName("request_id"); field != nil {
		received.requestID = request.ProtoReflect().Get(field).String()
	}
	if deadline, ok := ctx.Deadline(); ok {
		received.timeLeft = time.Until(deadline)
	}
	s.attempts[method] = append(s.attempts[method], received)
	next := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	return next
}

// attemptsOf returns the received attempts of the method.
func (s *server) attemptsOf(method string) []attempt {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.attempts[method]
}

// client returns a new client of this server.
func (s *server) client(t *testing.T) *Client {
	t.Helper()
	c, err := New(s.address, insecure.NewCredentials())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// methods returns the full names (/service/method) of all methods of the contract.
func methods() []string {
	var names []string
	for _, service := range []protoreflect.FullName{
		"twofactor.v1.SignInService", "twofactor.v1.TwoFactorService", "twofactor.v1.AccountService",
	} {
		descriptor, err := protoregistry.GlobalFiles.FindDescriptorByName(service)
		if err != nil {
			panic(err)
		}
		all := descriptor.(protoreflect.ServiceDescriptor).Methods()
		for index := range all.Len() {
			names = append(names, "/"+string(service)+"/"+string(all.Get(index).Name()))
		}
	}
	return names
}

// invoke calls a method by its full name, as the generated clients do, with an empty request.
func (c *Client) invoke(ctx context.Context, method string) error {
	name := path.Base(method)
	return c.connection.Invoke(ctx, method, message(name+"Request"), message(name+"Response"))
}

func message(name string) proto.Message {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName("twofactor.v1." + name))
	if err != nil {
		panic(err)
	}
	return kind.New().Interface()
}
