package redis

import (
	_ "embed"
	"time"

	"github.com/redis/rueidis"
)

// script is a Lua script that the server keeps by the SHA-1 of its text. The
// sums are written here because programs under FIPS 140-3 may not compute them.
type script struct{ text, sum string }

var (
	//go:embed index.lua
	indexText string
	//go:embed save.lua
	saveText string
	//go:embed delete.lua
	deleteText string
	//go:embed clean.lua
	cleanText string
	//go:embed convert.lua
	convertText string
	//go:embed hint.lua
	hintText string
	//go:embed note.lua
	noteText string

	saveScript    = script{indexText + saveText, "723ec80a1ba6b33eabb66da0d21c2f494e869f1e"}
	deleteScript  = script{indexText + deleteText, "ed79dc6882a99e456debb65c62990956f588ec79"}
	cleanScript   = script{indexText + cleanText, "861650dff57c7fa30bd9c6372f71c54d0093d0dd"}
	convertScript = script{indexText + convertText, "cac07ea6cf1b0ce4440ee05356a4558cfc7f70e4"}
	hintScript    = script{hintText, "454d7d2d366b9c27b1315f9fb9ea7b3ca57f36e0"}
	noteScript    = script{noteText, "02fc11c329f601dfdba4ba3293bfe2e3167242be"}
)

// job is one run of a script. Its first key is a record's or a hint, all are of one
// shard if the server is a cluster.
type job struct {
	script *script
	keys   []string
	args   []string
}

// command is the job by the name of its script, or with its text.
func (s *server) command(j *job, whole bool) rueidis.Completed {
	b := s.client.B()
	if whole {
		return b.Eval().Script(j.script.text).Numkeys(int64(len(j.keys))).Key(j.keys...).Arg(j.args...).Build()
	}
	return b.Evalsha().Sha1(j.script.sum).Numkeys(int64(len(j.keys))).Key(j.keys...).Arg(j.args...).Build()
}

// The pauses between tries while a cluster moves sessions to another node.
const (
	firstPause = 5 * time.Millisecond
	longPause  = 100 * time.Millisecond
)

// run sends all jobs at once, and those again that the server did not begin: it
// does not know the script, and gets its text, or it has only some of the keys,
// which it is moving to another node. Nothing else is sent twice.
func (s *server) run(t *turn, jobs []job) []rueidis.RedisResult {
	results := s.send(t, jobs, false)
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		var again []int
		var missing []job
		whole, moving := false, false
		for i, r := range results {
			answer, ok := rueidis.IsRedisErr(r.Error())
			if !ok || !answer.IsNoScript() && !answer.IsTryAgain() {
				continue
			}
			whole, moving = whole || answer.IsNoScript(), moving || answer.IsTryAgain()
			again, missing = append(again, i), append(missing, jobs[i])
		}
		if again == nil || moving && !t.pause(pause) {
			break
		}
		for i, r := range s.send(t, missing, whole) {
			results[again[i]] = r
		}
	}
	if s.o.Cache > 0 {
		if err := s.forget(t, jobs); err != nil {
			for i := range results {
				results[i] = rueidis.NewErrorResult(err)
			}
		}
	}
	return results
}

func (s *server) send(t *turn, jobs []job, whole bool) []rueidis.RedisResult {
	if len(jobs) == 1 {
		return []rueidis.RedisResult{s.client.Do(t, s.command(&jobs[0], whole))}
	}
	commands := make([]rueidis.Completed, len(jobs))
	for i := range jobs {
		commands[i] = s.command(&jobs[i], whole)
	}
	return s.client.DoMulti(t, commands...)
}
