package keys_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal/keys"
)

// buildKMS compiles the driver of KMS.md with the AWS SDK, in a module of its own.
func buildKMS(t *testing.T) (program string) {
	t.Helper()
	here, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	_, page, _ := strings.Cut(string(fileOf(t, "KMS.md")), "```go\n")
	driver, _, found := strings.Cut(page, "\n```\n")
	require.True(t, found, "KMS.md has a block of Go")
	from := filepath.Join("testdata", "awskms")
	return testkit.NewModule(t, "awssdk", map[string]string{
		"go.mod":  strings.Replace(string(fileOf(t, filepath.Join(from, "go.mod.txt"))), "MERIDIAN", here, 1),
		"main.go": string(fileOf(t, filepath.Join(from, "main.go.txt"))) + "\n" + driver + "\n",
	}, "github.com/aws/aws-sdk-go-v2/service/kms").Build()
}

// A kmsProgram is the program that has the driver.
type kmsProgram struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Reader
}

func startKMS(t *testing.T, url string) *kmsProgram {
	t.Helper()
	c := exec.CommandContext(t.Context(), buildKMS(t))
	c.Env = []string{
		"HOME=" + t.TempDir(), "AWS_ENDPOINT_URL_KMS=" + url, "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_MAX_ATTEMPTS=1",
		"AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI", "AWS_EC2_METADATA_DISABLED=true",
	}
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = c.Wait()
	})
	return &kmsProgram{t, in, bufio.NewReader(out)}
}

// do gives the program a command. The result begins with "ok" or with a Reason.
func (p *kmsProgram) do(command ...string) string {
	p.t.Helper()
	_, err := fmt.Fprintln(p.in, strings.Join(command, " "))
	require.NoError(p.t, err)
	line, err := p.out.ReadString('\n')
	require.NoError(p.t, err)
	return strings.TrimSpace(line)
}

func (p *kmsProgram) seal(region, plain string) (sealed string) {
	p.t.Helper()
	sealed, ok := strings.CutPrefix(p.do("seal", region, plain), "ok ")
	require.True(p.t, ok, sealed)
	return sealed
}

// requireRefused fails unless the driver says why KMS refused, and has the error of the SDK as the cause.
func (p *kmsProgram) requireRefused(want keys.Reason, command ...string) {
	p.t.Helper()
	require.Regexp(p.t, "^"+string(want)+" true keys: "+string(want)+": .*said by KMS", p.do(command...))
}

// A multi-Region key of AWS KMS seals, through the AWS SDK. What one Region seals, the other opens. A replica that is
// disabled, or whose policy drifted, stops its Region alone, with AWS's reason.
func TestAWSKMS(t *testing.T) {
	const id, other = "mrk-1234abcd12ab34cd56ef1234567890ab", "mrk-ffffabcd12ab34cd56ef1234567890ab"
	k := newFakeKMS(t)
	k.create(id, virginia, frankfurt)
	k.create(other, virginia)
	k.create("1234abcd-12ab-34cd-56ef-1234567890ab", virginia)
	p := startKMS(t, k.URL)
	require.Equal(t, "ok", p.do("key", virginia, id))
	require.Equal(t, "ok", p.do("key", frankfurt, id))
	p.requireRefused(keys.ReasonNotFound, "key", "ap-southeast-2", id)
	require.Contains(t, p.do("key", virginia, "1234abcd-12ab-34cd-56ef-1234567890ab"), "not a multi-Region key")

	sealed := p.seal(virginia, "ada@example.com")
	require.Equal(t, "ok ada@example.com", p.do("open", frankfurt, sealed))
	assert.Equal(t, 1, k.count(virginia+" Encrypt"), "one request for the data key")
	assert.Equal(t, 1, k.count(frankfurt+" Decrypt"))
	assert.Zero(t, k.count(virginia+" Decrypt"), "sealing in one Region and opening in another asks each its own")

	for want, edit := range map[keys.Reason]func(*kmsReplica){
		keys.ReasonDisabled:        func(r *kmsReplica) { r.state = "Disabled" },
		keys.ReasonInvalidState:    func(r *kmsReplica) { r.state = "PendingDeletion" },
		keys.ReasonAccessDenied:    func(r *kmsReplica) { r.forbidden = []string{"kms:Encrypt", "kms:Decrypt"} },
		keys.ReasonInvalidKeyUsage: func(r *kmsReplica) { r.usage = "GENERATE_VERIFY_MAC" },
	} {
		var before kmsReplica
		k.edit(frankfurt, id, func(r *kmsReplica) { before = *r; edit(r) })
		p.requireRefused(want, "open", frankfurt, sealed)
		p.requireRefused(want, "seal", frankfurt, "x")
		require.Equal(t, "ok ada@example.com", p.do("open", virginia, sealed), "%s stops one Region", want)
		k.edit(frankfurt, id, func(r *kmsReplica) { *r = before })
		require.Equal(t, "ok ada@example.com", p.do("open", frankfurt, sealed), "%s is over", want)
	}

	// A KMS that doesn't answer is not a refusal: data keys in memory are used meanwhile.
	k.setDown(true)
	require.Equal(t, "ok ada@example.com", p.do("open", frankfurt, sealed))
	require.Equal(t, "ok ada@example.com", p.do("open", virginia, p.seal(virginia, "ada@example.com")))
	k.setDown(false)

	// A rotation makes what was sealed before stale, and it still opens.
	require.Equal(t, "ok false", p.do("stale", virginia, sealed))
	require.Equal(t, "ok", p.do("rotated", virginia))
	require.Equal(t, "ok true", p.do("stale", virginia, sealed))
	require.Equal(t, "ok ada@example.com", p.do("open", virginia, sealed))
	require.Equal(t, "ok false", p.do("stale", virginia, p.seal(virginia, "x")))

	// Another key opens nothing.
	require.Equal(t, "ok", p.do("key", virginia, other))
	p.requireRefused(keys.ReasonInvalidCiphertext, "open", virginia, sealed)
	// A Region without memory of the data key says that KMS doesn't answer.
	require.Equal(t, "ok", p.do("key", virginia, id))
	k.setDown(true)
	require.Regexp(t, "^"+string(keys.ReasonUnavailable)+" true ", p.do("open", virginia, sealed))
}

// Errors of AWS KMS that say nothing about the key stay as they are.
func TestKMSErrorsThatAreNoRefusals(t *testing.T) {
	for _, code := range []string{
		"", "ThrottlingException", "KMSInternalException", "DependencyTimeoutException", "KeyUnavailableException",
		"ExpiredTokenException", "UnrecognizedClientException",
	} {
		err := keys.KMSError(code, errDown)
		assert.Equal(t, errDown, err, code)
		_, refused := keys.Refused(err)
		assert.False(t, refused, code)
	}
	reason, refused := keys.Refused(keys.KMSError("IncorrectKeyException", errDown))
	assert.True(t, refused)
	assert.Equal(t, keys.ReasonInvalidCiphertext, reason)
}
