import ArgumentParser

@main
struct Vidclass: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vidclass", abstract: "Train, evaluate and run video classifiers on a CPU.", version: "0.1.0")
}
