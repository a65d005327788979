// What is somebody's position on a topic? Usage: ask ACTOR TOPIC [AS_OF]
//
// The daemon is the one that ONRECORD_SERVER names (HOST:PORT), or 127.0.0.1:7450.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"google.golang.org/grpc"

	onrecord "example.org/ask/generated/onrecord/v1"
)

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: ask ACTOR TOPIC [AS_OF]")
	}
	server := os.Getenv("ONRECORD_SERVER")
	if server == "" {
		server = "127.0.0.1:7450"
	}
	// Plain text, as the daemon speaks it; of grpc 1.63 and later, NewClient and the package
	// credentials/insecure say the same.
	connection, err := grpc.Dial(server, grpc.WithInsecure())
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()

	question := &onrecord.GetPositionRequest{Actor: os.Args[1], Topic: os.Args[2]}
	if len(os.Args) > 3 {
		question.AsOf = os.Args[3]
	}
	positions := onrecord.NewPositionServiceClient(connection)
	answer, err := positions.GetPosition(context.Background(), question)
	if err != nil {
		log.Fatal(err)
	}
	position := answer.GetPosition()
	fmt.Println(position.GetFinding(), position.GetStance().GetPolarity())

	// The statement that decides, as the answer's own basis knew it.
	if deciding := position.GetDeciding(); deciding != nil {
		knownAt := answer.GetBasis().GetKnownAt()
		statement, err := onrecord.NewCatalogServiceClient(connection).GetStatement(
			context.Background(),
			&onrecord.GetStatementRequest{StatementId: deciding.GetStatement(), KnownAt: &knownAt},
		)
		if err != nil {
			log.Fatal(err)
		}
		text := statement.GetStatement().GetStatement().GetText()
		fmt.Printf("[%d] %s: %s\n", deciding.GetIndex(), deciding.GetSpeaker(), text)
	}
}
