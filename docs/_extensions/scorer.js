/* Order of search results: sections with the words of the query as their title, then pages of text,
   then examples, then the reference. A class or function is found first by its exact name. */
var Scorer = {
  score: ([docname, title, anchor, descr, score]) => {
    if (docname.startsWith("generated/"))
      return docname === `generated/${title}` ? score - 200 : score - 700;
    if (docname.startsWith("auto_examples/")) return score - 100;
    if (["index", "api", "changelog", "contributing"].includes(docname)) return score - 50;
    return score;
  },
  objNameMatch: 500,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 40,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
