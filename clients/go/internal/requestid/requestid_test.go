package requestid

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"twofactor.example/client/twofactorv1"
)

func TestVectors(t *testing.T) {
	content, err := os.ReadFile("../../../conformance/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Method    string
		Request   json.RawMessage
		RequestID string `json:"request_id"`
	}
	if err := json.Unmarshal(content, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) == 0 {
		t.Fatal("no vectors")
	}
	for _, vector := range vectors {
		kind, err := protoregistry.GlobalTypes.FindMessageByName(
			protoreflect.FullName("twofactor.v1." + vector.Method + "Request"))
		if err != nil {
			t.Fatal(err)
		}
		request := kind.New().Interface()
		if err := protojson.Unmarshal(vector.Request, request); err != nil {
			t.Fatal(err)
		}
		if id := Of(request); id != vector.RequestID {
			t.Errorf("%s %s: got %s, want %s", vector.Method, vector.Request, id, vector.RequestID)
		}
	}
}

func TestOfKeepsTheCallersRequestID(t *testing.T) {
	request := &twofactorv1.UseBackupCodeRequest{BackupCode: "abcd", RequestId: "Mine"}
	if Of(request) != "Mine" || With(request) != proto.Message(request) {
		t.Error("the caller's request_id was not kept")
	}
}

func TestOtherMethodsGetRandomRequestIDs(t *testing.T) {
	request := &twofactorv1.RegenerateBackupCodeRequest{SessionToken: "tfs_x"}
	first, second := With(request), With(request)
	firstID, secondID := Of(first), Of(second)
	if firstID == secondID {
		t.Error("two calls have the same request_id")
	}
	if id, err := uuid.Parse(firstID); err != nil || id.Version() != 4 || id.String() != firstID {
		t.Errorf("%s is not a UUID of version 4", firstID)
	}
	if request.GetRequestId() != "" || first.(*twofactorv1.RegenerateBackupCodeRequest).GetSessionToken() != "tfs_x" {
		t.Error("the request was modified, or the copy is incomplete")
	}
}

func TestRequestsWithoutTheFieldAreNotChanged(t *testing.T) {
	request := &twofactorv1.GetSessionRequest{SessionToken: "tfs_x"}
	if Of(request) != "" || With(request) != proto.Message(request) {
		t.Error("a request without request_id was changed")
	}
}
