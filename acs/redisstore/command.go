package redisstore

import (
	"context"
	"crypto/sha1"
	"embed"
	"encoding/hex"

	"github.com/redis/go-redis/v9"
)

// once is a command that the client does not send again when the connection breaks: a second one would find
// the first one's work and take it for another call's.
type once struct{ *redis.Cmd }

func (once) NoRetry() bool { return true }

// do runs a command. It stops waiting when ctx ends, whatever the client's options say about contexts; the
// client then ends on its own timeouts.
func (s *Store) do(ctx context.Context, args ...any) (any, error) {
	done := make(chan *redis.Cmd, 1)
	go func() {
		cmd := redis.NewCmd(ctx, args...)
		_ = s.cfg.Client.Process(ctx, once{cmd}) // Result returns the error, too
		done <- cmd
	}()
	select {
	case cmd := <-done:
		return cmd.Result()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run runs a script, which Redis need not have seen before.
func (s *Store) run(ctx context.Context, sc script, keys []string, args ...any) (any, error) {
	rest := []any{len(keys)}
	for _, key := range keys {
		rest = append(rest, key)
	}
	rest = append(rest, args...)
	v, err := s.do(ctx, append([]any{"evalsha", sc.sum}, rest...)...)
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		v, err = s.do(ctx, append([]any{"eval", sc.source}, rest...)...)
	}
	return v, err
}

//go:embed scripts
var sources embed.FS

// script is Lua that Redis runs as one step.
type script struct{ source, sum string }

var (
	scriptAdd         = newScript("add")
	scriptAddRequest  = newScript("add_request")
	scriptTakeRequest = newScript("take_request")
	scriptMark        = newScript("mark")
)

func newScript(name string) script {
	source := ""
	for _, part := range []string{"prelude", name} {
		text, err := sources.ReadFile("scripts/" + part + ".lua")
		if err != nil {
			panic(err) // the program was built without its scripts
		}
		source += string(text)
	}
	sum := sha1.Sum([]byte(source)) // by which evalsha names it
	return script{source: source, sum: hex.EncodeToString(sum[:])}
}
