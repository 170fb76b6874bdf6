# keep-server.sh DIRECTORY COMMAND…: runs a database server as long as standard input is open, so that none outlives its
# tests, however they end. Removes the directory then, unless the last line of the input is "keep".
directory=$1
shift
"$@" </dev/null &
server=$!
last=
while read -r line; do last=$line; done
kill -INT "$server" 2>/dev/null
wait "$server"
[ "$last" = keep ] || rm -rf "$directory"
