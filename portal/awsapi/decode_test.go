package awsapi_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/awsapi"
)

type input struct {
	ClientName string            `json:"clientName"`
	Scopes     []string          `json:"scopes"`
	Size       *int32            `json:"size"`
	Active     bool              `json:"active"`
	Rate       float64           `json:"rate"`
	Inner      *input            `json:"inner"`
	List       []input           `json:"list"`
	Tags       map[string]string `json:"tags"`
	Any        any               `json:"any"`
	NoTag      string
}

func TestDecodeReadsEveryType(t *testing.T) {
	var in input
	require.NoError(t, awsapi.Decode([]byte(`{"clientName":"é\n","scopes":["a","b"],"size":7,"active":true,"rate":1.25,
		"inner":{"clientName":"x","inner":null},"list":[{"size":1},{"size":2}],"tags":{"k":"v"},"any":{"n":1},
		"NoTag":"x","unknown":[[{"deep":1}]],"CLIENTNAME":"other"}`), &in))
	assert.Equal(t, "é\n", in.ClientName)
	assert.Equal(t, []string{"a", "b"}, in.Scopes)
	assert.EqualValues(t, 7, *in.Size)
	assert.True(t, in.Active)
	assert.Equal(t, 1.25, in.Rate)
	assert.Equal(t, "x", in.Inner.ClientName)
	assert.Nil(t, in.Inner.Inner)
	assert.EqualValues(t, 2, *in.List[1].Size)
	assert.Equal(t, map[string]string{"k": "v"}, in.Tags)
	assert.Equal(t, map[string]any{"n": json.Number("1")}, in.Any)
	assert.Empty(t, in.NoTag)
	require.NoError(t, awsapi.Decode(nil, &input{}), "an operation without input")
	require.NoError(t, awsapi.Decode([]byte(" \n"), &input{}))
	require.NoError(t, awsapi.Decode([]byte(`{"clientName":null}`), &input{}))
	require.NoError(t, awsapi.Decode(nested(16), &input{}))
}

func nested(depth int) []byte {
	return []byte(`{"x":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + "}")
}

func TestDecodeRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"a duplicate":              `{"clientName":"a","clientName":"b"}`,
		"a duplicate in escapes":   `{"clientName":"a","client\u004eame":"b"}`,
		"a duplicate below":        `{"inner":{"size":1,"size":2}}`,
		"a duplicate in a list":    `{"list":[{"size":1,"size":2}]}`,
		"a duplicate of unknowns":  `{"unknown":1,"unknown":2}`,
		"a duplicate in unknowns":  `{"unknown":{"a":{"b":1,"b":2}}}`,
		"a duplicate null":         `{"clientName":"a","clientName":null}`,
		"17 levels":                string(nested(17)),
		"17 levels of objects":     strings.Repeat(`{"x":`, 17) + "1" + strings.Repeat("}", 17),
		"a very deep body":         strings.Repeat("[", 1<<19),
		"two values":               `{} {}`,
		"text after it":            `{}x`,
		"an array":                 `[]`,
		"a string":                 `"x"`,
		"null":                     `null`,
		"no JSON":                  `clientName=a`,
		"half of it":               `{"clientName":"a"`,
		"a trailing comma":         `{"clientName":"a",}`,
		"invalid UTF-8":            "{\"clientName\":\"\xff\"}",
		"a number for a string":    `{"clientName":1}`,
		"a string for a number":    `{"size":"1"}`,
		"a fraction":               `{"size":1.5}`,
		"a number above the limit": `{"size":2147483648}`,
		"an infinite number":       `{"rate":1e999}`,
		"a string for a boolean":   `{"active":"true"}`,
		"a string for a list":      `{"scopes":"a"}`,
		"null in a list":           `{"scopes":["a",null]}`,
		"a list for an object":     `{"inner":[]}`,
		"a number in a map":        `{"tags":{"k":1}}`,
	} {
		t.Run(name, func(t *testing.T) {
			err := awsapi.Decode([]byte(body), &input{})
			var e *awsapi.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, awsapi.ReasonInput, e.Reason)
		})
	}
}

// What is accepted means the same to encoding/json.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"clientName":"a","scopes":["b"],"size":1,"inner":{"active":true},"tags":{"k":"v"}}`))
	f.Add([]byte(`{"clientName":"a","ClientName":"b"}`))
	f.Add(nested(16))
	f.Fuzz(func(t *testing.T, body []byte) {
		var in input
		err := awsapi.Decode(body, &in)
		if err != nil {
			var e *awsapi.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, awsapi.ReasonInput, e.Reason)
			return
		}
		var out map[string]json.RawMessage
		if len(strings.TrimSpace(string(body))) > 0 {
			require.NoError(t, json.Unmarshal(body, &out))
		}
		var name string
		if raw := out["clientName"]; raw != nil {
			require.NoError(t, json.Unmarshal(raw, &name))
		}
		require.Equal(t, name, in.ClientName)
	})
}
