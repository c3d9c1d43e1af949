"""Words that say nothing about a subject, by language: articles, pronouns, auxiliaries, particles.

A question is searched without those of its language. Some of them mean something in another one
("die", "war", "son", "fur"), so each list only counts in questions of its language.
"""

from collections.abc import Iterable

ENGLISH = frozenset(
    """
    a about after again all also am an and any are as at be because been before being between both
    but by can could d did do does doing don down during each ever every few for from further had
    has have having he her here hers him his how i if in into is it its itself just ll m many may me
    might more most much must my myself never no nor not now of off on once only or other our ours
    out over own re s same shall she should so some such t than that the their theirs them then
    there these they this those through to too under until up us ve very was we were what when where
    which while who whom whose why will with would you your yours
    arent cant couldnt didnt doesnt dont hadnt hasnt havent hows im isnt ive shouldnt thats theres
    theyre theyve wasnt werent whats whens wheres whos wont wouldnt youre youve
    """.split()
)
_OTHERS = {
    language: frozenset(words.split())
    for language, words in {
        "German": """
            aber alle alles als am an auch auf aus bei beim bin bis bist da damals damit dann darf
            das dass dein deine dem den denn der des die dies diese diesem diesen dieser doch dort
            du durch dürfen ein eine einem einen einer eines er es euch euer eure für gab gibt habe
            haben hast hat hatte hatten hier ich ihm ihn ihr ihre ihrem ihren ihrer im in ins ist ja
            jemand kam kann kommt konnte können könnte mag man mein meine meinem meinen meiner mich
            mir mit muss musste möchte müssen nach nicht noch nur ob oder schon sein seine seinem
            seinen seiner sich sie sind so soll sollen sollte um und uns unser unsere unserem
            unseren unserer viel viele vom von vor wann war waren warum was welche welchem welchen
            welcher welches wem wen wenn wer werden wie wieder wieso wieviel will wir wird wo wofür
            woher wohin wollte wollten wurde wurden zu zum zur über
            """,
        "French": """
            a ai aller allez allons alors après as au aussi aux avait avant avec avez avions avons c
            ce cela ces cet cette ceux comme comment d dans de depuis des donc du elle elles en
            encore es est et eu eux faire fais fait fut ici il ils j je l la le les leur leurs lui
            là m ma mais me mes moi mon même n ne ni nos notre nous on ont ou où par parce pas peu
            plus pour pourquoi qu quand que quel quelle quelles quels qui quoi s sa sans se serai
            serait ses si sommes son sont suis sur t ta te tes toi ton tous tout toute très tu un
            une va vais vas vers vont vos votre vous y à étaient était étions été êtes
            """,
        "Spanish": """
            a ahora al algo aquí así aún como con cuando cuál cuáles cuándo cuánta cuántas cuánto
            cuántos cómo de del desde donde dónde e el ella ellas ellos en entre era eran eres es
            esa ese eso esta estaba estamos este esto estoy estuvo está están fue fueron ha había
            hace hacer han has hasta hay he hemos ir la las le les lo los me mi mis muy más mí nada
            ni no nos nosotros o para pero por porque pues que quién quiénes qué se ser si sin sobre
            sois somos son soy su sus sí también tan te tengo tiene tienes tu tus tú un una unas uno
            unos usted va vamos van vas voy y ya yo él
            """,
        "Portuguese": """
            a ao aos as até com como da das de dela dele deles do dos e ela elas ele eles em era
            eram essa esse esta estamos estava este estou está estão eu faz fazer foi foram há ir
            isso já lhe lá mais mas me mesmo meu meus minha minhas muito na nas nem no nos nossa
            nosso num numa não nós o onde os ou para pela pelo pelos por porque pra quais qual
            quando quanta quantas quanto quantos que quem quê se sem ser seu seus sobre somos sou
            sua suas são só também te tem tenho teu tinha tu tua têm um uma vai vamos você vocês vou
            vão à às é
            """,
        "Italian": """
            a ad ai al alla alle allo anche andare andiamo c che chi ci come con cosa cui da dal
            dalla dei del dell della delle dello di dove e ed era erano essere fa faccio fare gli ha
            hai hanno ho i il in io l la le lei li lo loro lui ma me mi mia mie miei mio ne nel
            nella nelle no noi non nostra nostro o per perché più poi qual quale quali quando quanta
            quante quanti quanto questa queste questi questo qui se sei si sia siamo siete sono sta
            stato stiamo sto su sua sue sul sulla suo suoi sì te ti tra tu tua tuo un una uno va
            vado vanno vi voi è
            """,
        "Dutch": """
            aan af al als bij daar dan dat de der deze die dit doen door een en er had hadden heb
            hebben hebt heeft heel het hier hij hoe hoeveel hun ik in is ja je jij jou jouw jullie
            kan kon kunnen maar me mee mij mijn moet na naar niet niets nog nu of om omdat onder ons
            onze ook op over te toch toen tot u uit uw van veel voor waar waarom wanneer waren was
            wat we wel welk welke werd wie wij wil wordt wou ze zei zich zij zijn zo zou zullen
            """,
        "Swedish": """
            af alla allt att av blev bli där de dem den denna deras dess det detta dig din dina ditt
            du efter ej eller en er era ett från för ha hade han hans har hennes henne hon hur här i
            icke ingen inte jag ju kan kunde man med mellan men mig min mina mitt mot mycket många
            när nu något några och om oss på samma sedan sig sin sina sitt ska skulle som så till
            under upp ut vad var vara vart varför vem vems vi vid vilka vilken vilket vår våra vårt
            är över
            """,
        "Polish": """
            a ale bo by był była było były być ci co czemu czy dla dlaczego do gdy gdzie go i ich
            ile im ja jak jaka jaki jakie jakim ją je jego jej jest jestem już kiedy kim kogo komu
            kto która które którego której który którym którzy ma mają mam mi mną mnie moja moje
            mojego mój my na nad nam nas nasz nasza nasze nic nie nim o od on ona one oni oraz po
            pod przez przy są się skąd swoje ta tak tam te tego tej ten to tu tym ty w we wam was z
            za ze że
            """,
        "Turkish": """
            ama ben bana beni benim bir biz bize bizi bizim bu bunu çok da daha de değil diye en
            gibi hangi hem her için ile ise kadar kaç ki kim kimin mi mı mu mü nasıl ne neden nerede
            nereye nereden o ona onlar onu onun sana seni senin sen siz şu ve veya vardı var ya yok
            """,
        "Russian": """
            а без бы был была были было быть в вам вас ваш во вот все всё вы где да для до его ее её
            если есть еще ещё же за зачем и из или им их к как какая какие какой каком какую когда
            кого кому которая которые который кто куда ли мне мной мои мой моя моё мы на нам нас наш
            наша не него нет ни но ну о об он она они оно от откуда по под почему при с сколько со
            так там то тогда того тоже только ты у уже чего чей чем что чтобы эта эти это этот я
            """,
    }.items()
}
# Unspaced scripts are searched by pairs of letters: a pair of Chinese ones, or a Japanese pair.
_CHINESE = frozenset(
    "的了吗嗎呢吧啊呀是在有和跟就都也很还還我你他她它们們这這那哪谁誰什么麼怎几幾多少个個会會能要想到从從把被给給不没沒"
)
_JAPANESE = frozenset(
    """
    です ます した しま って から まで ので のに には では とは へは との での にも でも とか など
    する して いま いる いた ある あり あっ ない なか なっ なん なに だれ どこ どの どれ いつ こと
    もの これ それ あれ この その あの たか たの ての のは のが のを のか んで すか すが ょう った
    てい ても だっ かっ くて れた れる られ せん まし ませ でし しょ うか たち さん
    """.split()
)
_FOREIGN = {language: words - ENGLISH for language, words in _OTHERS.items()}
ENGLISH_ONLY = ENGLISH.difference(*_OTHERS.values())  # words that show that a question is English
_LEAST = 2  # function words of a language that make a question one in it


def function_words(words: Iterable[str]) -> frozenset[str]:
    """Return the words that say nothing about the subject of a question.

    They are those of English, and those of the language that the most words of the question belong
    to, if several do that are no English ones, and fewer are only English.

    Args:
        words: all words of the question, in lower case.
    """
    asked = set(words)
    counts = {language: len(asked & known) for language, known in _FOREIGN.items()}
    best = max(counts, key=lambda language: counts[language])
    english = len((asked & ENGLISH) - _OTHERS[best])
    return ENGLISH | _OTHERS[best] if counts[best] >= max(_LEAST, english + 1) else ENGLISH


def is_function_pair(pair: str) -> bool:
    """Return whether two letters of an unspaced script say nothing about a subject."""
    return pair in _JAPANESE or _CHINESE.issuperset(pair)


def is_german(words: Iterable[str]) -> bool:
    """Return whether the words of a question are German ones."""
    return function_words(words) >= _OTHERS["German"]
