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

// line is what the runner asks.
type line struct {
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
	// TimeoutMS is absent where the published deadline is to hold.
	TimeoutMS *int64 `json:"timeout_ms"`
}

// object is an answer to it.
type object map[string]any

type driver struct {
	client *client.Client
}

// answer does what the line asks. An error is one of the line or of the driver, never a refusal.
func (d *driver) answer(asked line) (object, error) {
	if asked.Op == "connect" {
		return object{"ok": true}, d.connect(asked)
	}
	request, err := requestOf(asked)
	if err != nil {
		return nil, err
	}
	switch asked.Op {
	case "call":
		return d.call(asked, request)
	case "request_id":
		return object{"request_id": requestid.Of(request)}, nil
	case "show":
		return object{"text": fmt.Sprintf("%v", request)}, nil
	}
	return nil, errors.New("no such operation")
}

func (d *driver) connect(asked line) error {
	d.close()
	transport, err := insecure.NewCredentials(), error(nil)
	if asked.TLS != nil {
		if transport, err = client.MutualTLS(*asked.TLS).Credentials(); err != nil {
			return err
		}
	}
	d.client, err = client.New(asked.Address, transport)
	return err
}

func (d *driver) close() {
	if d.client != nil {
		_ = d.client.Close()
	}
}

func (d *driver) call(asked line, request proto.Message) (object, error) {
	if d.client == nil {
		return nil, errors.New("not connected")
	}
	ctx := context.Background()
	if asked.TimeoutMS != nil {
		limited, cancel := context.WithTimeout(ctx, time.Duration(*asked.TimeoutMS)*time.Millisecond)
		defer cancel()
		ctx = limited
	}
	for _, service := range []any{d.client.SignIn, d.client.TwoFactor, d.client.Account} {
		method := reflect.ValueOf(service).MethodByName(asked.Method)
		if !method.IsValid() {
			continue
		}
		results := method.Call([]reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(request)})
		if err, failed := results[1].Interface().(error); failed {
			return object{"error": described(err)}, nil
		}
		response, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(results[0].Interface().(proto.Message))
		return object{"response": json.RawMessage(response)}, err
	}
	return nil, errors.New("no service of the client has this method")
}

// requestOf is the line's request as the message that its method takes.
func requestOf(asked line) (proto.Message, error) {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(
		protoreflect.FullName("twofactor.v1." + asked.Method + "Request"))
	if err != nil {
		return nil, err
	}
	request := kind.New().Interface()
	if len(asked.Request) == 0 {
		return request, nil
	}
	return request, protojson.Unmarshal(asked.Request, request)
}

func described(err error) object {
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
