package redisstore

import (
	"context"
	"crypto/sha1"
	"embed"
	"encoding/hex"

	"github.com/redis/go-redis/v9"
)

// once is a command that the client doesn't retry when the connection breaks. A retry would find the result of the
// first attempt and take it for another call's.
type once struct{ *redis.Cmd }

func (once) NoRetry() bool { return true }

// do runs a command. It returns when ctx is done, even if the client's options ignore contexts. The abandoned call
// then ends by the client's own timeouts.
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

// run runs a script, and sends its source if Redis doesn't have it.
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

// script is a Lua script, which Redis runs atomically.
type script struct{ source, sum string }

var (
	scriptAdd         = newScript("add")
	scriptAddRequest  = newScript("add_request")
	scriptTakeRequest = newScript("take_request")
	scriptMark        = newScript("mark")
	scriptWrite       = newScript("write")
)

func newScript(name string) script {
	source := ""
	for _, part := range []string{"prelude", name} {
		text, err := sources.ReadFile("scripts/" + part + ".lua")
		if err != nil {
			panic(err) // can't happen: the scripts are embedded
		}
		source += string(text)
	}
	sum := sha1.Sum([]byte(source)) // the name for EVALSHA
	return script{source: source, sum: hex.EncodeToString(sum[:])}
}
