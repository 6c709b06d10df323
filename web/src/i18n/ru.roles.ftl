roles-sub = Что можно людям и программам, по каждому виду объектов. Встроенные роли не меняются: скопируйте, чтобы сделать свою.
role-new = Новая роль
role-built-in = встроенная
role-users = { $count ->
    [one] { $count } пользователь
    [few] { $count } пользователя
   *[other] { $count } пользователей
}
role-copy = Копировать
role-copy-of = Копия: { $name }
role-look = Посмотреть
role-delete = Удалить эту роль?
role-delete-text = Роль «{ $name }» ни у кого не стоит. Она исчезнет.
role-held = Роль у кого-то стоит: сначала дайте им другую.
role-rights = Права
role-object = Объект
role-same = Во всём столбце
role-settings = Настройки, принудительное взятие и скрытое участие остаются у встроенных ролей.
role-lines-note = «Свои линии» — линии, в очереди которых человек стоит; «свои команды» — ещё и то, чем владеют участники его команд.
role-nothing = Ничего
object-conversation = Диалоги
object-contact = Контакты
object-company = Компании
object-lead = Лиды
object-deal = Сделки
object-task = Задачи
object-call = Звонки и записи
object-submission = Заявки с форм
object-report = Отчёты
right-view = Видеть
right-edit = Менять
right-delete = Удалять
right-export = Выгружать
reach-none = Нет
reach-own = Свои
reach-lines = Свои линии
reach-team = Свои команды
reach-all = Все
