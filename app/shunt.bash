# SPDX-License-Identifier: BSD-3-Clause
# bash completion of shunt(1). Commands and options are those of its help, functions those of its list.

_shunt_help() { # COMMAND, pattern
	"${COMP_WORDS[0]}" help ${1:+"$1"} 2>/dev/null | grep -oE -- "$2" | tr -d ' ' | sort -u
}

_shunt_functions() { # of the platform on the command line
	local sim=
	[[ " ${COMP_WORDS[*]} " =~ ' --platform'[\ =]+'sim ' ]] && sim='--platform sim'
	# shellcheck disable=SC2086
	"${COMP_WORDS[0]}" list $sim 2>/dev/null | grep -v ' pcieport ' | grep -oE '^  [0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]' | tr -d ' '
}

# The word before the cursor; readline splits addresses at their colons. Sets current and before.
_shunt_words() {
	local i=$COMP_CWORD
	current=${COMP_WORDS[i]}
	while ((i > 1)) && [[ ${COMP_WORDS[i]} == : || ${COMP_WORDS[i - 1]} == : ]]; do
		current=${COMP_WORDS[--i]}$current
	done
	before=${COMP_WORDS[i - 1]}
	joined=$((i < COMP_CWORD))
}

_shunt() {
	local current before joined command=${COMP_WORDS[1]} words='' list=''

	_shunt_words
	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ] || { [ "$COMP_CWORD" = 2 ] && [ "$command" = help ]; }; then
		words="$(_shunt_help '' '^  [a-z]+ ') help --version --help"
	else
		case $before in
		--platform) words='kernel sim' ;;
		--plan) words='replace quiesce stop-replace-start detach-attach restart auto' ;;
		--nic) words='drop wedge' ;;
		--iommu) words=$(_shunt_help forward '(blocking|hitless|cached)\>') ;;
		--rate) words=max ;;
		--size) words=imix ;;
		--user) words=$(compgen -u) ;;
		--tester) words=$(_shunt_functions) ;;
		--ports)
			words=$(_shunt_functions)
			[[ $current != *,* ]] || list=${current%,*},
			;;
		--json | --log | --timeline | --pcap | --evidence | --histogram | --output | --socket)
			# Of list, doctor and ctl --json takes no file; the name of one does no harm.
			mapfile -t COMPREPLY < <(compgen -f -- "$current")
			return
			;;
		*)
			if [[ $current == -* ]]; then
				words=$(_shunt_help "$command" '--[a-z][a-z-]*')
			else
				case $command in
				ctl) words=$("${COMP_WORDS[0]}" help ctl 2>/dev/null | grep -oE '^  [a-z]+ ') ;;
				vf)
					words=$(_shunt_functions)
					[ "$before" != vf ] || words='list create remove'
					;;
				doctor | bind | unbind) words=$(_shunt_functions) ;;
				report)
					mapfile -t COMPREPLY < <(compgen -f -- "$current")
					return
					;;
				run)
					mapfile -t COMPREPLY < <(compgen -c -- "$current")
					return
					;;
				esac
			fi
			;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen ${list:+-P "$list"} -W "$words" -- "${current#"$list"}")
	# What readline replaces begins after the last colon.
	[ "$joined" = 0 ] || COMPREPLY=("${COMPREPLY[@]#"${current%"${current##*:}"}"}")
}
complete -F _shunt shunt
