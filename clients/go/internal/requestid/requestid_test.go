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

func TestVectorsOfAllClients(t *testing.T) {
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
			t.Errorf("%s %s: %s, not %s", vector.Method, vector.Request, id, vector.RequestID)
		}
	}
}

func TestTheCallersOwnIsKept(t *testing.T) {
	request := &twofactorv1.UseBackupCodeRequest{BackupCode: "abcd", RequestId: "Mine"}
	if Of(request) != "Mine" || With(request) != proto.Message(request) {
		t.Error("the caller's request_id was not kept")
	}
}

func TestAskingTwiceMeansItTwice(t *testing.T) {
	request := &twofactorv1.RegenerateBackupCodeRequest{SessionToken: "tfs_x"}
	first, second := With(request), With(request)
	one, other := Of(first), Of(second)
	if one == other {
		t.Error("two calls have the same request_id")
	}
	if id, err := uuid.Parse(one); err != nil || id.Version() != 4 || id.String() != one {
		t.Errorf("%s is no random UUID", one)
	}
	if request.GetRequestId() != "" || first.(*twofactorv1.RegenerateBackupCodeRequest).GetSessionToken() != "tfs_x" {
		t.Error("the copy is not one")
	}
}

func TestAMethodWithoutOne(t *testing.T) {
	request := &twofactorv1.GetSessionRequest{SessionToken: "tfs_x"}
	if Of(request) != "" || With(request) != proto.Message(request) {
		t.Error("a request without request_id was changed")
	}
}
