# SPDX-License-Identifier: MIT
# What may follow on a command line of reprise, for bash.

_reprise_commands="serve reload check schema explain key cache --help --version"
_reprise_cache="stats ls show purge export import warm verify compact"

# The options of a command, and what its operand is: file, or nothing.
_reprise_takes()
{
	case "$1" in
	serve)		echo "--config --listen --takeover" ;;
	reload | check)	echo "--config" ;;
	schema)		echo "--man" ;;
	explain)	echo "--config --path --team file" ;;
	"cache stats")	echo "--config --json" ;;
	"cache ls")	echo "--config --model --limit" ;;
	"cache show")	echo "--config" ;;
	"cache purge")	echo "--config --model --team --older-than --key --all --dry-run" ;;
	"cache export")	echo "--config --model file" ;;
	"cache import")	echo "--config file" ;;
	"cache warm")	echo "--config --jobs --url file" ;;
	"cache verify")	echo "--config" ;;
	"cache compact") echo "--config" ;;
	esac
}

_reprise_files()
{
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

_reprise()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} takes words

	COMPREPLY=()
	case "$command:$COMP_CWORD" in
	*:1)	words=$_reprise_commands ;;
	cache:2) words=$_reprise_cache ;;
	key:2)	words=new ;;
	esac
	if [ -n "$words" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
		return
	fi
	case "$before" in
	-c | --config)
		_reprise_files "$word"
		return ;;
	--listen | --path | --team | --model | --limit | --older-than | --key | --jobs | --url)
		return ;;
	esac
	case "$command" in
	cache | key) command="$command ${COMP_WORDS[2]}" ;;
	esac
	takes=$(_reprise_takes "$command")
	if [[ $word != -* && " $takes " == *" file "* ]]; then
		_reprise_files "$word"
	else
		mapfile -t COMPREPLY < <(compgen -W "${takes% file} --help" -- "$word")
	fi
}

complete -F _reprise reprise
