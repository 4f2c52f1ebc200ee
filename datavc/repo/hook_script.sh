#!/bin/sh
# datavc hook, version 1: makes data follow Git.
# `datavc install` wrote this file, `datavc install --uninstall` removes it again.
# The same text stands under every hook's name. Git waits for it, so it starts datavc only if
# Git's index says that a pointer may have changed, and only once, when Git has come to rest.
datavc=@DATAVC@
python=@PYTHON@

hook=${0##*/}
hook=${hook%.legacy}
earlier=${0%/*}/$hook.datavc-chained
status=0
taken=

leave() { exit "$status"; }

# The hook that stood here before runs first, under its old name where it is a shell script:
# some look at their name, or for files beside themselves.
run_earlier() {
  IFS= read -r first < "$earlier"
  case $first in
  '#!/bin/sh' | '#!/usr/bin/env sh') sh -c 'file=$1; shift; . "$file"' "$0" "$earlier" "$@" ;;
  '#!/bin/bash' | '#!/usr/bin/env bash') bash -c 'file=$1; shift; . "$file"' "$0" "$earlier" "$@" ;;
  *) "$earlier" "$@" ;;
  esac
}

# pre-commit keeps this file as NAME.legacy and calls it: calling it back would never end.
calls_us() { [ "$0" != "${0%.legacy}" ] && grep -q pre-commit "$earlier"; }

# What Git writes to standard input, kept for both hooks; most need none of it.
take_updates() {
  [ -n "$taken" ] || updates=$(cat)
  taken=1
}

give_updates() { [ -z "$updates" ] || printf '%s\n' "$updates"; }

run_datavc() {
  if [ -x "$datavc" ] && [ -x "$python" ]; then
    give_updates | DATAVC_IN_HOOK=1 "$datavc" hook "$hook" "$@"
  else
    echo "datavc is no longer at $datavc: data did not follow; \`datavc install\` mends it" >&2
    # Said once a change: installing again forgets this stamp, and looks at all pointers.
    [ -z "$git_dir" ] || record > "$git_dir/datavc-stamp"
  fi
}

# Whether Git is in the middle of a rebase, am or pick range; its last hook comes later.
rebasing() { [ -d "$git_dir/rebase-merge" ] || [ -f "$git_dir/rebase-apply/rebasing" ]; }

mid_rebase() {
  [ "$hook" = post-rewrite ] && return 1
  IFS= read -r head < "$git_dir/HEAD"
  case $head in
  ref:*) # on a branch: before the first pick, or after the last
    [ -s "$git_dir/rebase-merge/done" ] && return 1
    [ -d "$git_dir/rebase-apply" ] && return 1
    ;;
  esac
  [ "$hook" = reference-transaction ] || return 0
  branch=
  # The branch itself moves when all picks are done, also when they were only a fast-forward.
  for file in rebase-merge rebase-apply; do
    [ -f "$git_dir/$file/head-name" ] && IFS= read -r branch < "$git_dir/$file/head-name"
  done
  take_updates
  while read -r _ _ moved; do
    [ "$moved" = "$branch" ] && return 1
  done <<EOF
$updates
EOF
  return 0
}

mid_mailbox() {
  IFS= read -r next < "$git_dir/rebase-apply/next"
  IFS= read -r last < "$git_dir/rebase-apply/last"
  [ "$next" -lt "$last" ] || return 1
  [ "$hook" = post-applypatch ] || [ "$hook$1" = post-index-change0 ]
}

mid_range() {
  if [ "$hook" != post-commit ]; then
    [ -f "$git_dir/CHERRY_PICK_HEAD" ] && return 1
    [ -f "$git_dir/REVERT_HEAD" ] && return 1
  fi
  { IFS= read -r _ && IFS= read -r _; } < "$git_dir/sequencer/todo"
}

in_the_middle() {
  if rebasing; then mid_rebase "$@"
  elif [ "$hook" = reference-transaction ]; then return 0
  elif [ -f "$git_dir/rebase-apply/applying" ]; then mid_mailbox "$@"
  elif [ -f "$git_dir/sequencer/todo" ]; then mid_range
  else return 1
  fi
}

# What the index says of pointers, times included; the same as when data last followed?
record() { git ls-files -z -s --debug -- '*.datavc' '*datavc.lock'; }

nothing_changed() {
  record | cmp -s - "$git_dir/datavc-stamp"
  case $? in
  0) # restoring a path from a commit changes the work tree alone
    [ "$hook" = post-checkout ] || return 0
    [ ! -f "$git_dir/datavc-unlike" ] || return 1
    [ -z "$(git diff-files --name-only -- '*.datavc' '*datavc.lock')" ]
    ;;
  1) return 1 ;;
  *) [ -z "$(git ls-files -- '*.datavc' '*datavc.lock')" ] ;; # no stamp yet, or not a project
  esac
}

if [ -x "$earlier" ] && ! calls_us; then
  case $hook in
  pre-push | post-rewrite | reference-transaction)
    take_updates
    give_updates | run_earlier "$@"
    ;;
  *) run_earlier "$@" ;;
  esac
  status=$?
fi

[ -z "$DATAVC_IN_HOOK" ] || leave
case $hook in
pre-push)
  [ "$status" = 0 ] || leave
  take_updates
  run_datavc "$@"
  exit
  ;;
reference-transaction) [ "$1" = committed ] || leave ;;
post-checkout) [ "$3" = 0 ] || leave ;; # of a branch: post-index-change has seen it already
esac
case $GIT_INDEX_FILE in
'' | index | */index) ;;
*) leave ;; # the temporary index of a stash, the lock file of a commit
esac
if [ -n "$GIT_DIR" ]; then
  git_dir=$GIT_DIR
elif [ -d .git ]; then
  git_dir=.git
else
  git_dir=$(git rev-parse --git-dir) || leave
fi
in_the_middle "$@" && leave
nothing_changed "$@" && leave
updates=
run_datavc "$@"
leave
