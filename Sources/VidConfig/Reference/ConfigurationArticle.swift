/// The configuration's page of the documentation: the same rows as `ConfigurationReference.markdown`, a table for each
/// section of the file.
package enum ConfigurationArticle {
    /// The whole page, in DocC's Markdown.
    package static var markdown: String {
        var text = opening
        for section in ConfigurationReference.sections {
            text += "\n\n## \(section.key)\n\n\(introductions[section.key].map { $0 + "\n\n" } ?? "")\(section.markdown)"
        }
        return text + "\n"
    }

    private static let opening = """
        # Configuration Reference

        Every key of a run's configuration: what it takes, its default, what it means.

        ## Overview

        @Comment {
            Written from the tables in Sources/VidConfig, as Configs/schema.json is. Do not edit it; after a change of the tables:
            VIDCLASS_UPDATE=1 swift test --filter VidConfigTests
        }

        A run is described by one JSON file. What it leaves out has the default below, so that `{}` is a configuration:

        ```json
        {
          "model": {
            "input": { "frames": 16, "rows": 224, "columns": 224 },
            "recurrent": [{ "type": "lstm", "units": 256 }],
            "hidden": [{ "type": "dense", "units": 256 }, { "type": "dropout" }]
          },
          "data": { "path": "videos", "validation_split": 0.2 },
          "training": { "epochs": 20, "batch_size": 8 }
        }
        ```

        `--set KEY=VALUE` overrides one value from the command line, and reaches into a list by its number:

        ```
        vidclass train --config config.json --set model.hidden.0.units=64
        ```

        Unknown keys and values out of range are refused with the line and the nearest valid word. The key
        `$comment` is passed over. Paths are relative to the working directory. `Configs/schema.json` tells an editor the same:
        name it in the file as `"$schema"`. `vidclass inspect config.json` shows what a file comes to.

        In the tables `N` is the place of a layer or stage in its list, and words in brackets behind a key are the types that
        have it.
        """

    private static let introductions: [String: String] = [
        "model": "What is trained: the frames, the CNN over each frame, the layers over the frames, the layers behind them.",
        "optimizer": "How gradients change the weights; <doc:HowItWorks> has the formulas of Nadam.",
        "data": "Where the clips are, how they are divided, which frames are taken of them, and what is done to the pixels.",
        "augmentation": "Random changes of the training clips, the same for all frames of a clip.",
        "training": "How long, in which steps, what ends it, and what is kept.",
        "stages": "Parts of one training, one after the other.",
        "evaluation": "How a clip is looked at in validation, `eval` and `predict`.",
        "output": "Where the run's folder is; <doc:RunFoldersAndFormats> says what is in it.",
    ]
}
