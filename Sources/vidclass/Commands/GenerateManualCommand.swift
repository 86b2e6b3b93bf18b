import ArgumentParser
import VidSystem
import VidTensor

/// Writes the manual pages; for Scripts/install.sh.
struct GenerateManualCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate-manual",
        abstract: "Write the manual pages of all commands into a folder.",
        discussion: """
              vidclass generate-manual man1
            """,
        shouldDisplay: false)

    @Argument(help: "The folder to write to.", completion: .directory)
    var directory: String

    func run() async throws {
        try Folder.make(directory)
        for page in try ManualPages().pages {
            try AtomicFile.write(to: PathText.join(directory, page.file)) { try $0.write(page.text.utf8) }
        }
    }
}
