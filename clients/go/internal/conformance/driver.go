package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	client "twofactor.example/client"
	"twofactor.example/client/internal/requestid"
)

// command is a line of the runner.
type command struct {
	Op      string `json:"op"`
	Address string `json:"address"`
	TLS     *struct {
		CA          string `json:"ca"`
		Certificate string `json:"certificate"`
		Key         string `json:"key"`
		ServerName  string `json:"server_name"`
	} `json:"tls"`
	Method  string          `json:"method"`
	Request json.RawMessage `json:"request"`
	// TimeoutMS is nil if the published deadline applies.
	TimeoutMS *int64 `json:"timeout_ms"`
}

// object is a JSON object.
type object map[string]any

type driver struct {
	client *client.Client
}

// reply executes the command. An error means that the command or the driver is wrong; errors of calls are replies.
func (d *driver) reply(cmd command) (object, error) {
	if cmd.Op == "connect" {
		return object{"ok": true}, d.connect(cmd)
	}
	request, err := parseRequest(cmd)
	if err != nil {
		return nil, err
	}
	switch cmd.Op {
	case "call":
		return d.call(cmd, request)
	case "request_id":
		return object{"request_id": requestid.Of(request)}, nil
	case "format":
		return object{"text": fmt.Sprintf("%v", request)}, nil
	}
	return nil, errors.New("unknown operation")
}

func (d *driver) connect(cmd command) error {
	d.close()
	transport, err := insecure.NewCredentials(), error(nil)
	if cmd.TLS != nil {
		if transport, err = client.MutualTLS(*cmd.TLS).Credentials(); err != nil {
			return err
		}
	}
	d.client, err = client.New(cmd.Address, transport)
	return err
}

func (d *driver) close() {
	if d.client != nil {
		_ = d.client.Close()
	}
}

func (d *driver) call(cmd command, request proto.Message) (object, error) {
	if d.client == nil {
		return nil, errors.New("not connected")
	}
	ctx := context.Background()
	if cmd.TimeoutMS != nil {
		limited, cancel := context.WithTimeout(ctx, time.Duration(*cmd.TimeoutMS)*time.Millisecond)
		defer cancel()
		ctx = limited
	}
	for _, service := range []any{d.client.SignIn, d.client.TwoFactor, d.client.Account} {
		method := reflect.ValueOf(service).MethodByName(cmd.Method)
		if !method.IsValid() {
			continue
		}
		results := method.Call([]reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(request)})
		if err, failed := results[1].Interface().(error); failed {
			return object{"error": describe(err)}, nil
		}
		response, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(results[0].Interface().(proto.Message))
		return object{"response": json.RawMessage(response)}, err
	}
	return nil, errors.New("unknown method")
}

// parseRequest returns the request of the command as the request message of its method.
func parseRequest(cmd command) (proto.Message, error) {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(
		protoreflect.FullName("twofactor.v1." + cmd.Method + "Request"))
	if err != nil {
		return nil, err
	}
	request := kind.New().Interface()
	if len(cmd.Request) == 0 {
		return request, nil
	}
	return request, protojson.Unmarshal(cmd.Request, request)
}

func describe(err error) object {
	var refusal *client.TwoFactorError
	if !errors.As(err, &refusal) {
		return object{"type": reflect.TypeOf(err).String()}
	}
	fields := []string{}
	for _, field := range refusal.Fields {
		fields = append(fields, field.Path)
	}
	metadata := refusal.Metadata
	if metadata == nil {
		metadata = map[string]string{}
	}
	var retryAfter *int64
	if refusal.RetryAfter != nil {
		milliseconds := refusal.RetryAfter.Milliseconds()
		retryAfter = &milliseconds
	}
	return object{
		"type":           reflect.TypeOf(err).Elem().Name(),
		"status":         code.Code(refusal.Status).String(),
		"reason":         refusal.Reason,
		"metadata":       metadata,
		"fields":         fields,
		"retry_after_ms": retryAfter,
	}
}
