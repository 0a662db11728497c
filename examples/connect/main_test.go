package main

import (
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rockstar-web/sessions/examples/internal/click"
)

func TestMain(m *testing.M) { click.Main(m, main) }

// call asks in the protocol of Connect; o may choose another one.
func call[A, Q any](t *testing.T, b *click.Browser, procedure string, q *Q, o ...connect.ClientOption) (*A, error) {
	t.Helper()
	client := connect.NewClient[Q, A](b.Client, b.URL+procedure, o...)
	a, err := client.CallUnary(t.Context(), connect.NewRequest(q))
	if err != nil {
		return nil, err
	}
	return a.Msg, nil
}

func TestStory(t *testing.T) {
	for name, o := range map[string][]connect.ClientOption{"connect": nil, "JSON": {connect.WithProtoJSON()}, "gRPC-Web": {connect.WithGRPCWeb()}} {
		t.Run(name, func(t *testing.T) {
			b, none := click.Start(t), &emptypb.Empty{}
			flash := func() (string, error) {
				a, err := call[wrapperspb.StringValue](t, b, "/account.v1.Account/Flash", none, o...)
				return a.GetValue(), err
			}
			visits := func() int64 {
				a, err := call[wrapperspb.Int64Value](t, b, "/visits.v1.Visits/Add", none, o...)
				require.NoError(t, err)
				return a.GetValue()
			}
			require.EqualValues(t, 1, visits())
			click.Together(func() { visits() })
			require.EqualValues(t, click.AtOnce+2, visits())
			_, err := flash()
			require.Equal(t, connect.CodeUnauthenticated, connect.CodeOf(err))

			enter := func(password string) error {
				q, err := structpb.NewStruct(map[string]any{"user": "alice", "password": password})
				require.NoError(t, err)
				_, err = call[emptypb.Empty](t, b, "/visits.v1.Visits/Login", q, o...)
				return err
			}
			require.Equal(t, connect.CodePermissionDenied, connect.CodeOf(enter("guess")))
			require.NoError(t, enter("wonderland"))
			text, err := flash()
			require.NoError(t, err)
			require.Equal(t, "Welcome, alice.", text)
			text, err = flash()
			require.NoError(t, err)
			require.Empty(t, text, "the flash is there once")

			_, err = call[emptypb.Empty](t, b, "/visits.v1.Visits/Logout", none, o...)
			require.NoError(t, err)
			_, err = flash()
			require.Equal(t, connect.CodeUnauthenticated, connect.CodeOf(err))
		})
	}
}
